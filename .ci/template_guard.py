"""cfn-guard on the template and on what SAM makes of it: the rules of AWS Control Tower and our own (.ci/guard).

A resource that does not follow a rule names it in `Metadata: guard: {skip: [{id, comment}]}`, or answers it by the suppression of
checkov's check of the same thing.
"""
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

from template_model import ROOT
from template_values import Values

PACKAGE = Path(sys.prefix) / "guard" / "package"
OURS = ROOT / ".ci" / "guard"
# The same question by checkov's name: one reason answers both.
SAME = {
    "CT.CLOUDFRONT.PR.5": "CKV_AWS_86",
    "CT.CLOUDFRONT.PR.9": "CKV_AWS_174",
    "CT.CLOUDWATCH.PR.3": "CKV_AWS_158",
    "CT.DYNAMODB.PR.1": "CKV_AWS_28",
    "CT.DYNAMODB.PR.2": "CKV_AWS_119",
    "CT.LAMBDA.PR.3": "CKV_AWS_117",
}
# In dev, alarms may notify nobody; in prod a rule of the template asks for somebody (`alarms-notify-somebody-in-prod`).
NOTIFIES = "CT.CLOUDWATCH.PR.1"


def binary():
    system = {"Linux": "ubuntu", "Darwin": "macos"}.get(platform.system(), "")
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    found = PACKAGE / "bin" / system / machine / "cfn-guard"
    return found if found.is_file() else sys.exit(f"template: {found} is not there; run `.ci/run tools`")


def control(file):
    """The control that a file of AWS's rules is for: ct-lambda-pr-3.guard is CT.LAMBDA.PR.3."""
    return file.stem.upper().replace("-", ".")


def rules(types):
    """The files with rules for these types of resources, and the name of each rule in AWS's."""
    files, names = [], {}
    for file in sorted(PACKAGE.glob("rules/**/*.guard")):
        text = file.read_text(encoding="utf-8")
        if types & set(re.findall(r"AWS::\w+::\w+", re.sub(r"^\s*#.*$", "", text, flags=re.M))):
            files.append(file)
            names.update(dict.fromkeys(re.findall(r"^rule (\w+)", text, re.M), control(file)))
    return [*files, *sorted(OURS.glob("*.guard"))], names


def resolved(case):
    """A result with its values, since AWS's rules see no text in `Fn::Sub` and no number in a parameter."""
    values = Values(case)
    return {"Resources": {name: values.of(resource) for name, resource in case.decided["Resources"].items()}}


def clauses(node):
    """The clauses of a rule that do not hold."""
    if isinstance(node, dict):
        if "Clause" in node:
            yield node["Clause"]
        else:
            for value in node.values():
                yield from clauses(value)
    elif isinstance(node, list):
        for value in node:
            yield from clauses(value)


def findings(documents, folder):
    """What cfn-guard finds in {name: document}: sets of (document, rule, resource)."""
    types = {resource["Type"] for document in documents.values() for resource in document["Resources"].values()}
    files, names = rules(types)
    folder.mkdir()
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    options = [argument for file in files for argument in ("--rules", file)]
    ran = subprocess.run([binary(), "validate", *options, "--data", folder, "--output-format", "json", "--structured", "--show-summary", "none"], capture_output=True, text=True)
    try:
        reports = json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"template: cfn-guard: {ran.stdout[:2000]} {ran.stderr[:2000]}")
    if len(reports) != len(documents):
        sys.exit(f"template: cfn-guard read {len(reports)} of {len(documents)} documents: {ran.stderr[:2000]}")
    found = set()
    for report in reports:
        document = Path(report["name"]).stem
        for failed in report["not_compliant"]:
            rule = failed["Rule"]["name"]
            # The first path of a clause is that of the value which was tested.
            at = {paths[0] for paths in (re.findall(r"/Resources/(\w+)", json.dumps(clause)) for clause in clauses(failed)) if paths}
            found |= {(document, names.get(rule, rule), resource) for resource in at or {"the template"}}
    return found


def suppressions(sources):
    """{(resource, rule): reason}, of cfn-guard's and of checkov's checks of the same."""
    found = {}
    for source in sources:
        for name, resource in source["Resources"].items():
            metadata = resource.get("Metadata", {})
            for skip in metadata.get("guard", {}).get("skip", []):
                found[name, skip["id"]] = skip.get("comment") or ""
            for skip in metadata.get("checkov", {}).get("skip", []):
                for rule, same in SAME.items():
                    if skip["id"] == same:
                        found[name, rule] = None  # checkov asks for the reason, and whether it is needed
    return found


def faults(bundle, others, folder):
    """The findings that nothing suppresses, and the suppressions that nothing needs."""
    documents = {case.name.replace(" ", "-"): resolved(case) for case in bundle.cases} | {"source": bundle.source} | others
    dev = {case.name.replace(" ", "-") for case in bundle.cases if case.decider.values["Stage"] == "dev"}
    given = suppressions([bundle.source, *others.values()])
    used = set()
    for document, rule, resource in sorted(findings(documents, folder)):
        if (resource, rule) in given:
            used.add((resource, rule))
        elif not (rule == NOTIFIES and document in dev):
            yield f"cfn-guard: {document}: {rule} {resource}"
    for (resource, rule), reason in given.items():
        if reason is not None and (resource, rule) not in used:
            yield f"cfn-guard: {resource}: nothing needs the suppression of {rule}"
        if reason == "":
            yield f"cfn-guard: {resource}: {rule} is suppressed without a reason"
