"""The template as the checks see it: the source, what SAM makes of it, and both with all conditions decided.

Nothing here names a table or a route: a fork has others.
"""
import copy
import json
import logging
import os
import re
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # SAM asks for the partition
logging.disable(logging.CRITICAL)  # SAM warns of its own feature flags

from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.public.translator import ManagedPolicyLoader  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
import tomlkit  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
NO_VALUE = {"Ref": "AWS::NoValue"}
COUNTERS = "LimitsTable"  # the table of the callers' quotas, which is no resource's


class Policies(ManagedPolicyLoader):
    """SAM's managed policies, without asking AWS for them."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def samconfig(text):
    """The parameters of each environment of samconfig.toml."""
    found = {}
    for name, environment in tomlkit.parse(text).unwrap().items():
        given = environment.get("deploy", {}).get("parameters", {}).get("parameter_overrides") if isinstance(environment, dict) else None
        if given is not None:
            found[name] = dict(pair.split("=", 1) for pair in given.split())
    return found


def cases(environments):
    """The parameters for which the template is transformed and checked, by name."""
    web = "https://www.example.com"
    return {
        "defaults": {},
        "dev": environments.get("dev", {}),
        "prod": {**environments.get("prod", {}), "AlarmEmail": "ops@example.com", "AllowedOrigins": web},
        "own issuer": {"JwtIssuer": "https://id.example.com", "JwtAudience": "a,b", "ScopeServer": "", "ReadAnyScope": "users.read.all"},
        "no origins": {"AllowedOrigins": ""},
        "several origins": {"AllowedOrigins": "https://a.example,https://b.example:8443", "LogAddresses": "on", "CallbackUrls": "https://a.example/cb,https://b.example/cb"},
        "CDN on": {
            "Cdn": "on", "CdnDomain": "api.example.com", "EdgeSecretAlso": "AWSPREVIOUS", "EdgeSecretGeneration": "3", "AllowedOrigins": web,
            "CdnCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
            "CdnWebAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/x/12345678-1234-1234-1234-123456789012",
        },
        "canary on": {
            "Stage": "prod", "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:ops", "Deployment": "Canary10Percent10Minutes", "Tracing": "on",
            "ContributorInsights": "on", "DeletionProtection": "on", "CursorSecretAlso": "AWSPENDING", "CursorSecretGeneration": "2",
            "RateLimit": "36", "ReservedConcurrency": "216", "Cdn": "on",
        },
        "CDN open": {"Cdn": "open", "EdgeSecretAlso": "AWSPENDING"},
        "cache on": {
            "CacheTier": "valkey", "CacheSubnetIds": "subnet-11111111,subnet-22222222", "CacheSecurityGroupId": "sg-33333333",
            "CacheVpcId": "vpc-44444444", "CacheRouteTableIds": "rtb-55555555,rtb-66666666", "CacheGeneration": "2", "Tracing": "on",
        },
        "cache on, own endpoint": {
            "CacheTier": "valkey", "CacheSubnetIds": "subnet-11111111,subnet-22222222,subnet-77777777", "CacheSecurityGroupId": "sg-33333333",
        },
    }


def refs(node):
    """Every logical id, parameter and pseudo parameter that a value refers to; conditions not included."""
    found = set()
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                found.add(value)
            elif key == "Fn::GetAtt":
                found.add(value.split(".")[0] if isinstance(value, str) else value[0])
            elif key == "Fn::Sub":
                text, names = (value, {}) if isinstance(value, str) else (value[0], value[1])
                used = {name.split(".")[0] for name in re.findall(r"\$\{([^!{}][^{}]*)\}", text)}
                found |= used - set(names)
                found |= refs(names)
            else:
                found |= refs(value)
    elif isinstance(node, list):
        for value in node:
            found |= refs(value)
    return found


def used_conditions(node):
    """Every condition that an Fn::If of a value asks."""
    found = set()
    if isinstance(node, dict):
        if isinstance(node.get("Fn::If"), list):
            found.add(node["Fn::If"][0])
        for value in node.values():
            found |= used_conditions(value)
    elif isinstance(node, list):
        for value in node:
            found |= used_conditions(value)
    return found


class Decider:
    """Conditions and rules for given parameters."""

    def __init__(self, template, given):
        self.conditions = template.get("Conditions", {})
        self.values = {}
        for name, parameter in template.get("Parameters", {}).items():
            value = str(given.get(name, parameter.get("Default", "")))
            self.values[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else value

    def value(self, node):
        if not isinstance(node, dict):
            return node if isinstance(node, (str, list)) else str(node)
        ((key, value),) = node.items()
        if key == "Ref":
            return self.values.get(value, value)
        if key == "Fn::Join":
            return value[0].join(self.value(value[1]))
        raise ValueError(f"{key} in a condition is not known here")

    def holds(self, node):
        if isinstance(node, str):
            return self.holds(self.conditions[node])
        ((key, value),) = node.items()
        if key == "Condition":
            return self.holds(value)
        if key == "Fn::Equals":
            return self.value(value[0]) == self.value(value[1])
        if key == "Fn::Not":
            return not self.holds(value[0])
        if key == "Fn::And":
            return all(self.holds(one) for one in value)
        if key == "Fn::Or":
            return any(self.holds(one) for one in value)
        if key == "Fn::Contains":
            return self.value(value[1]) in self.value(value[0])
        raise ValueError(f"{key} in a condition is not known here")

    def broken_rules(self, template):
        broken = []
        for name, rule in template.get("Rules", {}).items():
            if "RuleCondition" not in rule or self.holds(rule["RuleCondition"]):
                broken += [name for assertion in rule["Assertions"] if not self.holds(assertion["Assert"])]
        return broken

    def decided(self, node):
        """The value with every Fn::If replaced by its branch."""
        if isinstance(node, dict):
            if "Fn::If" in node and len(node) == 1:
                condition, then, otherwise = node["Fn::If"]
                return self.decided(then if self.holds(condition) else otherwise)
            pairs = ((key, self.decided(value)) for key, value in node.items())
            return {key: value for key, value in pairs if value != NO_VALUE}
        if isinstance(node, list):
            return [value for value in map(self.decided, node) if value != NO_VALUE]
        return node

    def template(self, template):
        """The template for these parameters: resources and outputs whose condition does not hold are gone."""
        done = {key: value for key, value in template.items() if key != "Conditions"}
        for part in ("Resources", "Outputs"):
            kept = {name: value for name, value in template.get(part, {}).items() if "Condition" not in value or self.holds(value["Condition"])}
            done[part] = {name: {k: v for k, v in self.decided(value).items() if k != "Condition"} for name, value in kept.items()}
        return done


class Case:
    """The template for one set of parameters."""

    def __init__(self, name, source, given):
        self.name, self.given = name, given
        self.decider = Decider(source, given)
        self.source = self.decider.template(source)
        packaged = copy.deepcopy(source)
        for resource in packaged["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": "artifacts", "Key": "function.zip"}  # as `sam package` would
        given = {name: parameter.get("Default") for name, parameter in source["Parameters"].items()} | given
        self.result = transform(packaged, given, Policies())
        self.decided = Decider(self.result, given).template(self.result)
        # Their values as defaults, and only those that are left, for the linters.
        used = refs({key: value for key, value in self.decided.items() if key not in ("Parameters", "Rules")})
        self.decided.pop("Rules", None)
        # The values of a case are no empty defaults, so nothing is left out for them.
        self.decided["Metadata"] = {name: value for name, value in self.decided.get("Metadata", {}).items() if name != "cfn-lint"}
        self.decided["Parameters"] = {
            name: {**parameter, "Default": (int if parameter["Type"] == "Number" else str)(given[name])}
            for name, parameter in self.decided["Parameters"].items() if name in used
        }

    def of_type(self, kind):
        return {name: resource for name, resource in self.decided["Resources"].items() if resource["Type"] == kind}


class Bundle:
    """The template in all its cases, and the files that it must agree with."""

    def __init__(self, text, config, only=None, change=None):
        self.text, self.config = text, config
        self.source = json.loads(json.dumps(yaml_parse(text)))
        self.workflows = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github/workflows").glob("deploy*.yml"))}
        self.page = read("docs/DEPLOY.md")
        if change:
            change(self)
        self.environments = samconfig(self.config)
        wanted = cases(self.environments)
        self.cases = [Case(name, copy.deepcopy(self.source), given) for name, given in wanted.items() if only is None or name in only]

    @property
    def parameters(self):
        return self.source["Parameters"]

    @property
    def resources(self):
        return self.source["Resources"]

    def of_type(self, kind):
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    @property
    def functions(self):
        return self.of_type("AWS::Serverless::Function")

    @property
    def tables(self):
        """The tables of resources that the template makes."""
        return {name: table for name, table in self.of_type("AWS::DynamoDB::Table").items() if name != COUNTERS}

    @property
    def known_tables(self):
        """Also those that exist, whose names are parameters: {name: properties}."""
        made = {name: table["Properties"] for name, table in self.of_type("AWS::DynamoDB::Table").items()}
        return made | self.source.get("Metadata", {}).get("ExistingTables", {})

    def binary(self, function):
        return self.resources[function].get("Metadata", {}).get("BuildProperties", {}).get("Binary", "")

    def environment(self, function):
        common = self.source["Globals"]["Function"].get("Environment", {}).get("Variables", {})
        return {**common, **self.resources[function]["Properties"].get("Environment", {}).get("Variables", {})}

    def events(self, function):
        return self.resources[function]["Properties"].get("Events", {})

    def role(self, function):
        """The function's role: its logical id and the resource."""
        role = self.resources[function]["Properties"].get("Role", {})
        at = role.get("Fn::GetAtt") if isinstance(role, dict) else None
        name = at.split(".")[0] if isinstance(at, str) else (at or [None])[0]
        return name, self.resources.get(name, {})

    def indexes(self, table):
        properties = self.known_tables[table]
        return properties.get("GlobalSecondaryIndexes", []) + properties.get("LocalSecondaryIndexes", [])


# What the code says, read once.
OPENAPI = json.loads(read("openapi.json"))
RUST = {path: path.read_text(encoding="utf-8") for folder in ("shared", "functions") for path in sorted((ROOT / folder).rglob("*.rs"))}


def rust(name):
    return RUST[ROOT / name]


def seconds(constant, text):
    """A `const NAME: Duration`, in seconds."""
    unit, number = re.search(rf"const {constant}: Duration = Duration::from_(secs|millis)\((\d+)\)", text).groups()
    return int(number) / (1000 if unit == "millis" else 1)


REQUEST_SECONDS = seconds("REQUEST_TIME", rust("shared/api/src/serve.rs"))
MARGIN_SECONDS = seconds("LAMBDA_MARGIN", rust("shared/api/src/serve.rs"))


def header_name(constant):
    return constant.lower().replace("_", "-")


def headers_read():
    """The request headers that the functions read; not the CDN's own, nor those that a browser sends by itself."""
    wanted = re.search(r"static WANTED: .*?\[\n(.*?)\];", rust("shared/api/src/http/event.rs"), re.S).group(1)
    return {header_name(name) for name in re.findall(r"header::(\w+)", wanted)} - {"accept", "accept-encoding"}


def headers_written():
    """The response headers that the functions write; not those that every browser shows to a page, those that only caches heed, nor names inside Vary."""
    text = "".join(rust(f"shared/{name}").split("#[cfg(test)]")[0] for name in ("api/src/http/response.rs", "api/src/app.rs", "api/src/serve.rs", "api/src/limits.rs", "rate-limits/src/fields.rs"))
    names = {header_name(name) for name in re.findall(r"header::([A-Z_]+)", text)} | set(re.findall(r'HeaderName::from_static\("([a-z-]+)"\)', text))
    return names - {"age", "allow", "accept-encoding", "cache-control", "content-encoding", "content-length", "content-type", "if-none-match", "last-modified", "origin", "vary", "x-content-type-options"}


def cache_access():
    """What the cache tier asks of its server: the commands that it sends, and the beginning of its keys. A login needs no permission."""
    text = "".join(text for path, text in RUST.items() if path.is_relative_to(ROOT / "shared/api/src/tier")).split("#[cfg(test)]")
    commands = {command.lower() for part in text for command in re.findall(r'\.cmd\("([A-Z]+)"\)', part)}
    (prefix,) = {prefix for part in text for prefix in re.findall(r'format!\("(\w+:)\{', part)}
    return prefix, sorted(commands)


def metrics_written():
    """The names of the metrics of a log line."""
    return set(re.findall(r'\{"Name":"(\w+)"', rust("shared/api/src/log.rs")))


def strings_in_rust():
    return {name for text in RUST.values() for name in re.findall(r'"([A-Z][A-Z0-9_]+)"', text)}


def properties_published():
    """Every property of the published schemas, with the types that it has."""
    found = {}

    def walk(node):
        if isinstance(node, dict):
            for name, schema in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
                types = schema.get("type") if isinstance(schema, dict) else None
                found.setdefault(name, set()).update(types if isinstance(types, list) else [types])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(OPENAPI)
    return found


def is_private(path, method):
    """Whether the published contract asks for a token."""
    return bool(OPENAPI["paths"][path][method.lower()].get("security"))
