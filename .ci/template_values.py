"""Values for the intrinsic functions of a transformed template, without AWS."""
import re

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/lean-routes-check/11111111-2222-3333-4444-555555555555",
    "AWS::StackName": "lean-routes-check",
    "AWS::URLSuffix": "amazonaws.com",
}
DYNAMIC = re.compile(r"\{\{resolve:[a-z-]+:(.+?)\}\}")


class Unknown(Exception):
    """A function or a reference that has no value here."""


class Values:
    """Resolves a template whose conditions are decided, for the parameters of a case.

    A Ref or a GetAtt of a resource is a made-up name or ARN where a text needs it. As a whole value it is what `resource(name, attribute)`
    returns (the attribute of a Ref is None), and stays as it is for None. `secret(text)` is the value of a dynamic reference.
    """

    def __init__(self, case, resource=lambda name, attribute: None, secret=None):
        self.resources = case.decided["Resources"]
        kinds = {name: parameter["Type"] for name, parameter in case.result["Parameters"].items()}
        self.parameters = {name: int(value) if kinds[name] == "Number" else value for name, value in case.decider.values.items()}
        self.resource, self.secret = resource, secret

    def physical(self, name, attribute):
        if name not in self.resources:
            raise Unknown(f"{name} is neither a parameter nor a resource")
        kind = self.resources[name]["Type"]
        if attribute not in (None, "Arn") or kind.startswith("AWS::ApiGateway"):
            return f"{name}.{attribute}".removesuffix(".None").lower()
        if attribute == "Arn" or kind == "AWS::SecretsManager::Secret":
            service, resource = kind.split("::")[1].lower(), kind.split("::")[2].lower()
            return f"arn:aws:{service}:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:{resource}:{name}-1A2B3C"
        return f"{PSEUDO['AWS::StackName']}-{name}-1A2B3C4D5E6F"

    def reference(self, node, name, attribute=None):
        if attribute is None and name in PSEUDO:
            return PSEUDO[name]
        if attribute is None and name in self.parameters:
            return self.parameters[name]
        found = self.resource(name, attribute)
        return node if found is None else found

    def text(self, node):
        """A value as a text."""
        value = self.of(node)
        if isinstance(value, dict) and len(value) == 1:
            ((function, to),) = value.items()
            if function == "Ref":
                return self.physical(to, None)
            if function == "Fn::GetAtt":
                return self.physical(*(to.split(".", 1) if isinstance(to, str) else to))
        if isinstance(value, (dict, list)):
            raise Unknown(f"{value} is no text")
        return str(value)

    def substituted(self, name, names):
        if name in names:
            return self.text(names[name])
        return self.text({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})

    def of(self, node):
        if isinstance(node, list):
            return [self.of(value) for value in node]
        if not isinstance(node, dict):
            return DYNAMIC.sub(lambda found: self.secret(found[1]), node) if self.secret and isinstance(node, str) else node
        if len(node) != 1 or not next(iter(node)).startswith(("Fn::", "Ref")):
            return {key: self.of(value) for key, value in node.items()}
        ((function, value),) = node.items()
        if function == "Ref":
            return self.reference(node, value)
        if function == "Fn::GetAtt":
            return self.reference(node, *(value.split(".", 1) if isinstance(value, str) else value))
        if function == "Fn::Sub":
            text, names = (value, {}) if isinstance(value, str) else value
            return self.of(re.sub(r"\$\{([^!{}][^{}]*)\}", lambda used: self.substituted(used[1], names), text))
        if function == "Fn::Join":
            return value[0].join(self.text(part) for part in self.of(value[1]))
        if function == "Fn::Split":
            return self.text(value[1]).split(value[0])
        if function == "Fn::Select":
            return self.of(value[1])[int(value[0])]
        raise Unknown(f"{function} is not known here")
