"""The named checks of the template. Each yields one line for each fault that it finds."""
import json
import re

from routes import is_interface
from template_model import (
    COUNTERS, MARGIN_SECONDS, NO_VALUE, OPENAPI, REQUEST_SECONDS, ROOT, Decider, cache_access, headers_read, headers_written, is_private, metrics_written,
    properties_published, refs, strings_in_rust, used_conditions, yaml_parse,
)

CHECKS = {}
NOTIFY = [
    {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, NO_VALUE]},
    {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, NO_VALUE]},
]
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
WRITES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}


# A function with a cache is in the network, and Lambda, not its code, may make the interfaces for it.
CONNECTED = {"Fn::If": ["HasCache", {"SubnetIds": {"Fn::Split": [",", {"Ref": "CacheSubnetIds"}]}, "SecurityGroupIds": [{"Ref": "CacheSecurityGroupId"}]}, NO_VALUE]}
INTERFACES = [
    {
        "Sid": "Interfaces", "Effect": "Allow", "Resource": "*",
        "Action": [
            "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ],
    },
    {
        "Sid": "NotByCode", "Effect": "Deny", "Resource": "*", "Action": "ec2:*",
        "Condition": {"ArnLike": {"lambda:SourceFunctionArn": {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"}}},
    },
]
# Metrics of the whole stack, which have no route.
OF_THE_STACK = {"quotaOpen", "cacheOpen"}


def check(function):
    CHECKS[function.__name__.replace("_", "-")] = function
    return function


def listed(value):
    return value if isinstance(value, list) else [value]


def text_of(node):
    return json.dumps(node, sort_keys=True)


def interfaces(b):
    return [name for name in b.functions if is_interface(b.binary(name))]


def cached(b, function):
    """Whether a function uses the cache tier."""
    return "CACHE_URL" in b.environment(function)


# ── What SAM makes of it ─────────────────────────────────────────────────────────────────────────────────────────


@check
def cors_is_an_object(b):
    """F1, 46: the whole configuration arrives, and an empty AllowedOrigins allows nobody."""
    for case in b.cases:
        cors = case.decided["Resources"]["Api"]["Properties"]["Body"].get("x-amazon-apigateway-cors")
        origins = case.decider.values["AllowedOrigins"]
        if not origins:
            if cors is not None:
                yield f"{case.name}: there are no origins, and CORS is {text_of(cors)}"
        elif not isinstance(cors, dict) or set(cors) != {"allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge"}:
            yield f"{case.name}: CORS is {text_of(cors)}"
        elif cors["allowOrigins"] != {"Fn::Split": [",", origins]}:
            yield f"{case.name}: CORS allows {text_of(cors['allowOrigins'])}"


@check
def no_dependency_cycle(b):
    """F6: CloudFormation refuses a cycle; the linters see none that goes through what SAM makes."""
    for case in b.cases:
        resources = case.decided["Resources"]
        edges = {}
        for name, resource in resources.items():
            rest = {key: value for key, value in resource.items() if key not in ("Type", "Metadata")}
            edges[name] = {to for to in refs(rest) | set(listed(rest.get("DependsOn", []))) if to in resources and to != name}
        done, path = set(), []

        def visit(name):
            if name in path:
                return path[path.index(name):] + [name]
            if name in done:
                return None
            path.append(name)
            for to in sorted(edges[name]):
                if cycle := visit(to):
                    return cycle
            path.pop()
            done.add(name)
            return None

        for name in edges:
            if cycle := visit(name):
                yield f"{case.name}: {' → '.join(cycle)}"
                break


@check
def references_exist(b):
    """A reference to a resource that is not made in this case."""
    for case in b.cases:
        known = set(case.decided["Resources"]) | set(b.parameters)
        for part in ("Resources", "Outputs"):
            for name, value in case.decided[part].items():
                missing = {to for to in refs(value) if not to.startswith("AWS::")} - known
                if missing:
                    yield f"{case.name}: {name} refers to {', '.join(sorted(missing))}"


@check
def no_resource_is_implicit(b):
    """37, 38: an API, a URL or a role that nobody wrote."""
    made = {"AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::Permission", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::ApiGatewayV2::Stage"}
    for case in b.cases:
        for name, resource in case.decided["Resources"].items():
            if name not in b.resources and resource["Type"] not in made and name != "CodeDeployServiceRole":
                yield f"{case.name}: SAM makes {name} ({resource['Type']})"


@check
def versions_are_published_and_kept(b):
    """31: an alias that SAM moves, and the versions before it."""
    for case in b.cases:
        aliases = [alias["Properties"] for alias in case.of_type("AWS::Lambda::Alias").values()]
        for function in b.functions:
            own = [alias for alias in aliases if alias["FunctionName"] == {"Ref": function}]
            if [alias["Name"] for alias in own] != ["live"]:
                yield f"{case.name}: {function} has no alias `live`"
        for name, version in case.of_type("AWS::Lambda::Version").items():
            if (version.get("DeletionPolicy"), version.get("UpdateReplacePolicy")) != ("Retain", "Retain"):
                yield f"{case.name}: {name} is deleted when another one takes over"


@check
def permissions_of_the_api_name_the_alias_and_the_route(b):
    for case in b.cases:
        for name, permission in case.of_type("AWS::Lambda::Permission").items():
            properties = permission["Properties"]
            if properties.get("Principal") != "apigateway.amazonaws.com" or "SourceArn" not in properties or "Aliaslive" not in text_of(properties["FunctionName"]):
                yield f"{case.name}: {name} is {text_of(properties)}"


# ── Functions ────────────────────────────────────────────────────────────────────────────────────────────────────


@check
def function_properties(b):
    """35, 36, 45: only what the checks know."""
    wanted = {
        "AutoPublishAliasAllProperties", "CodeUri", "DeploymentPreference", "Description", "Environment", "Events", "LoggingConfig", "Role", "VersionDescription",
    }
    for name, function in b.functions.items():
        if (properties := set(function["Properties"])) != wanted | ({"VpcConfig"} if cached(b, name) else set()):
            yield f"{name}: has {sorted(properties - wanted)}, lacks {sorted(wanted - properties)}"
        if function["Properties"].get("AutoPublishAliasAllProperties") is not True:
            yield f"{name}: AutoPublishAliasAllProperties is not true"
        if (function.get("DeletionPolicy"), function.get("UpdateReplacePolicy")) != (None, "Retain"):
            yield f"{name}: UpdateReplacePolicy must be Retain, which its versions take over"


@check
def function_globals(b):
    """F3, 22, 44, 45: the settings of all functions."""
    wanted = {
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Architectures": [{"Ref": "Architecture"}],
        "ReservedConcurrentExecutions": {"Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, NO_VALUE]},
        "Tracing": {"Fn::If": ["IsTraced", "Active", "PassThrough"]},
        "AutoPublishAlias": "live",
        "DeploymentPreference": {"Type": {"Ref": "Deployment"}},
    }
    given = dict(b.source["Globals"]["Function"])
    environment = given.pop("Environment", {}).get("Variables", {})
    timeout, memory = given.pop("Timeout", 0), given.pop("MemorySize", 0)
    for name in sorted(set(given) | set(wanted)):
        if given.get(name) != wanted.get(name):
            yield f"{name} is {text_of(given.get(name))}"
    if not 128 <= memory <= 1769:
        yield f"MemorySize is {memory}"
    if timeout < REQUEST_SECONDS + MARGIN_SECONDS + 1 or timeout > 10:
        yield f"Timeout is {timeout} s; a request may take {REQUEST_SECONDS} s and a margin of {MARGIN_SECONDS} s"
    if set(b.source["Globals"]) != {"Function"} or not {"LOG_LEVEL", "STACK_NAME"} <= set(environment):
        yield f"Globals has {sorted(b.source['Globals'])} with {sorted(environment)}"


@check
def function_code(b):
    """43: the folder of the crate whose binary it is."""
    for name, function in b.functions.items():
        binary = b.binary(name)
        manifest = ROOT / "functions" / binary / "Cargo.toml"
        if function.get("Metadata", {}).get("BuildMethod") != "rust-cargolambda" or function["Properties"].get("CodeUri") != f"functions/{binary}":
            yield f"{name}: CodeUri is {function['Properties'].get('CodeUri')} and the binary {binary}"
        elif not manifest.is_file() or f'name = "{binary}"' not in manifest.read_text(encoding="utf-8"):
            yield f"{name}: there is no crate {binary} in functions/{binary}"


@check
def blocks_of_the_routes(b):
    """The block of a route: header, function, role, log group, alarms, in this order."""
    names = list(b.resources)
    headers = dict.fromkeys(re.findall(r"^  # ── ([A-Z]+ /\S*: [a-z0-9-]+) ─+$", b.text, re.M))
    for function in b.functions:
        binary, events = b.binary(function), b.events(function)
        first = next(iter(events.values()), {}).get("Properties", {})
        header = f"{first.get('Method')} {first.get('Path')}: {binary}"
        if header not in headers:
            yield f"{function}: no line `# ── {header} ──`"
        elif not re.search(rf"^  # ── {re.escape(header)} ─+\n\n?(  #.*\n)*\n?  {function}:\n", b.text, re.M):
            yield f"{function} does not follow its line `# ── {header} ──`"
        at = names.index(function)
        expected = [function] + [function + suffix for suffix in ("Role", "Logs", "Faults", "Crashes")]
        if names[at:at + 5] != expected:
            yield f"{function}: the block has {names[at:at + 5]} in place of {expected}"
        if "".join(part.capitalize() for part in binary.split("-")) != function:
            yield f"{function} is not the binary's name {binary}"


@check
def events_are_routes_of_the_api(b):
    """10, 29, 36, 37, 38: exactly ApiId, Method, Path and Auth, and HEAD beside GET."""
    for name in b.functions:
        routes = set()
        for event, definition in b.events(name).items():
            properties = definition.get("Properties", {})
            if definition.get("Type") != "HttpApi" or set(properties) - {"Auth"} != {"ApiId", "Method", "Path"}:
                yield f"{name}.{event} is {definition.get('Type')} with {sorted(properties)}"
            elif properties["ApiId"] != {"Ref": "Api"} or properties.get("Auth", {"Authorizer": "Jwt"}) != {"Authorizer": "Jwt"}:
                yield f"{name}.{event} is {text_of(properties)}"
            routes.add((properties.get("Path"), properties.get("Method")))
        for path, method in sorted(routes, key=str):
            if method == "GET" and (path, "HEAD") not in routes and not is_interface(b.binary(name)):
                yield f"{name}: no HEAD {path}; API Gateway does not derive it from GET"


@check
def routes_are_the_published_ones(b):
    """4, 10: the same paths and methods as openapi.json, with a token where it says so; also after the transform."""
    published = {(path, method.upper()) for path, item in OPENAPI["paths"].items() for method in item if method in ("get", "head", "post", "put", "patch", "delete")}
    events = [event["Properties"] for name in b.functions if not is_interface(b.binary(name)) for event in b.events(name).values()]
    given = {(event.get("Path"), event.get("Method")) for event in events}
    for path, method in sorted(published ^ given, key=str):
        yield f"{method} {path} is only in {'openapi.json' if (path, method) in published else 'template.yaml'}"
    for case in b.cases:
        for api in case.of_type("AWS::ApiGatewayV2::Api").values():
            for path, item in api["Properties"]["Body"]["paths"].items():
                for method, operation in item.items():
                    if (path, method.upper()) in published:
                        wanted = [{"Jwt": []}] if is_private(path, method) else None
                        if operation.get("security") != wanted:
                            yield f"{case.name}: {method} {path} has the security {operation.get('security')}"


@check
def interfaces_are_two_paths(b):
    """The authorizer of an HTTP API cannot be optional: one path with it and one without, each by GET and POST; also after the transform."""
    for name in interfaces(b):
        routes = {(event["Properties"].get("Path"), event["Properties"].get("Method"), "Auth" in event["Properties"]) for event in b.events(name).values()}
        paths = {path: private for path, _, private in routes}
        if sorted(paths.values()) != [False, True] or routes != {(path, method, private) for path, private in paths.items() for method in ("GET", "POST")}:
            yield f"{name}: the routes are {sorted(routes, key=str)}"
        for case in b.cases:
            for api in case.of_type("AWS::ApiGatewayV2::Api").values():
                for path, private in paths.items():
                    for method, operation in api["Properties"]["Body"]["paths"].get(path, {}).items():
                        if operation.get("security") != ([{"Jwt": []}] if private else None):
                            yield f"{case.name}: {method} {path} has the security {operation.get('security')}"


# ── Environment and versions ─────────────────────────────────────────────────────────────────────────────────────


@check
def environment_names(b):
    """11: a variable that no code reads."""
    known = strings_in_rust()
    for name in b.functions:
        for variable in b.environment(name):
            if variable not in known:
                yield f"{name}: no code reads {variable}"


@check
def environment_values(b):
    """25, 26, 45, F4, F9, F14, F16: tables by Ref, secrets by dynamic reference, settings by parameter."""
    secret = "{{{{resolve:secretsmanager:${{{0}}}{1}}}}}"
    exact = {
        "LOG_LEVEL": {"Ref": "LogLevel"},
        "STACK_NAME": {"Ref": "AWS::StackName"},
        "CATALOG_SHARDS": {"Ref": "CatalogShards"},
        "READ_ANY_SCOPE": {"Fn::If": ["HasScopeServer", {"Fn::Sub": "${ScopeServer}/${ReadAnyScope}"}, {"Ref": "ReadAnyScope"}]},
        "LIMITS_TABLE": {"Ref": COUNTERS},
        "CALLER_LIMIT": {"Fn::Sub": "${CallerQuota};w=${CallerWindow}"},
        "SERVICE_LIMIT": {"Fn::Sub": "${ServiceQuota};w=${CallerWindow}"},
        "EDGE_SECRET": {"Fn::If": ["IsLocked", {"Fn::Sub": secret.format("EdgeSecret", "")}, NO_VALUE]},
        "EDGE_SECRET_PREVIOUS": {"Fn::If": ["HasSecondEdgeSecret", {"Fn::Sub": secret.format("EdgeSecret", ":SecretString::${EdgeSecretAlso}")}, NO_VALUE]},
        "CACHE_URL": {"Fn::If": ["HasCache", {"Fn::Sub": "rediss://${CacheUser}:{{resolve:secretsmanager:${CacheSecret}}}@${Cache.Endpoint.Address}:${Cache.Endpoint.Port}"}, NO_VALUE]},
        "GRAPHQL_INTROSPECTION": {"Fn::If": ["GraphqlIntrospects", "on", "off"]},
        "GRAPHQL_DOCUMENTS": {"Ref": "GraphqlDocuments"},
        "CURSOR_SECRET": {"Fn::Sub": secret.format("CursorSecret", "")},
        "CURSOR_SECRET_PREVIOUS": {"Fn::If": ["HasSecondCursorSecret", {"Fn::Sub": secret.format("CursorSecret", ":SecretString::${CursorSecretAlso}")}, NO_VALUE]},
    }
    for name in b.functions:
        environment = b.environment(name)
        for variable, value in environment.items():
            if variable.endswith("_TABLE") and variable not in exact:
                if not (isinstance(value, dict) and value.get("Ref") in b.tables or value.get("Ref") in b.parameters):
                    yield f"{name}: {variable} is {text_of(value)}, which is no table"
            elif variable in exact:
                if value != exact[variable]:
                    yield f"{name}: {variable} is {text_of(value)}"
            elif "SECRET" in variable and "resolve:secretsmanager" not in text_of(value):
                yield f"{name}: {variable} is not read from Secrets Manager"
            elif not refs(value):
                yield f"{name}: {variable} is the literal {text_of(value)}"
        if ("CURSOR_SECRET" in environment) != ("CURSOR_SECRET_PREVIOUS" in environment):
            yield f"{name}: a cursor secret without its second value"
        private = any("Auth" in event["Properties"] for event in b.events(name).values())
        if private and "READ_ANY_SCOPE" not in environment:
            yield f"{name}: a private route without READ_ANY_SCOPE"


@check
def second_secrets_are_chosen_by_a_parameter_of_their_own(b):
    """F14, F6: a new stack has no AWSPREVIOUS, whatever the generation; a canary needs AWSPENDING."""
    for secret in ("Cursor", "Edge"):
        if not any(f"{secret}Secret" in refs(b.environment(name)) for name in b.functions):
            continue  # a bundle without lists has no cursors
        also = b.parameters.get(f"{secret}SecretAlso", {})
        if also.get("Default") != "" or set(also.get("AllowedValues", [])) != {"", "AWSPENDING", "AWSPREVIOUS"}:
            yield f"{secret}SecretAlso is {text_of(also)}"
        condition = b.source["Conditions"].get(f"HasSecond{secret}Secret", {})
        if f"{secret}SecretAlso" not in refs(condition) or f"{secret}SecretGeneration" in refs(condition):
            yield f"HasSecond{secret}Secret is {text_of(condition)}"


@check
def version_description_names_all_that_a_version_depends_on(b):
    """32, F4: SAM looks through neither a parameter nor a resource, so a change of their value publishes nothing by itself."""
    for name, function in b.functions.items():
        environment = b.environment(name)
        described = function["Properties"].get("VersionDescription", {})
        named, asked = refs(described), used_conditions(described)
        wanted = {to for to in refs(environment) if not to.startswith("AWS::")}
        for condition in used_conditions(environment) - asked:
            wanted |= refs(b.source["Conditions"][condition])
            for inner in b.source["Conditions"][condition].get("Fn::And", []):
                if isinstance(inner, dict) and inner.get("Condition") in asked:
                    wanted -= refs(b.source["Conditions"][inner["Condition"]])
        wanted.add("Tracing")
        for secret in ("Cursor", "Edge"):
            if f"{secret}SecretAlso" in wanted:
                wanted.add(f"{secret}SecretGeneration")
        if cached(b, name):
            # The cache, its user and its secret are made again when this rises, and only then.
            wanted = wanted - {"Cache", "CacheUser", "CacheSecret"} | {"CacheGeneration"}
        if missing := wanted - named:
            yield f"{name}: VersionDescription lacks {', '.join(sorted(missing))}"


@check
def version_description_fits(b):
    """F4: 256 characters, with the longest values that the parameters allow."""
    for case in b.cases:
        for name, version in case.of_type("AWS::Lambda::Version").items():
            described = version["Properties"].get("Description", {}).get("Fn::Sub", "")
            text, names = (described, {}) if isinstance(described, str) else described
            length = len(re.sub(r"\$\{.*?\}", "", text))
            for used in re.findall(r"\$\{(.*?)\}", text):
                value = names.get(used, {"Ref": used})
                if isinstance(value, str):
                    length += len(value)
                elif "Fn::Select" in value:
                    at, split = value["Fn::Select"]
                    of = refs(value).pop()
                    is_secret = b.resources.get(of, {}).get("Type") == "AWS::SecretsManager::Secret"
                    # NAME-12 characters-6 characters, the same without the name, or the 13 of a table
                    length += len(of) + 20 if at == 6 else 19 if is_secret else 13
                    if at == 1 and split["Fn::Split"][0] != (f"{of}-" if is_secret else f"-{of}-"):
                        yield f"{case.name}: {name} splits {of} at {split['Fn::Split'][0]}"
                elif used in b.parameters:
                    parameter = b.parameters[used]
                    values = [str(value) for value in parameter.get("AllowedValues", [])] or [str(parameter.get("MaxValue", ""))]
                    length += parameter.get("MaxLength", 0) or max(map(len, values)) or 1000
                else:
                    length += 60  # the whole name of a resource
            if length > 256:
                yield f"{case.name}: {name} may have a description of {length} characters"


@check
def generations_are_in_the_description(b):
    """F14: the secret is read again when the function changes, and only then."""
    for name, function in b.functions.items():
        for secret in ("Cursor", "Edge"):
            if f"{secret}Secret" in refs(b.environment(name)) and f"{secret}SecretGeneration" not in refs(function["Properties"].get("Description", {})):
                yield f"{name}: Description lacks {secret}SecretGeneration"
        if cached(b, name) and "CacheGeneration" not in refs(function["Properties"].get("Description", {})):
            yield f"{name}: Description lacks CacheGeneration"


# ── Permissions ──────────────────────────────────────────────────────────────────────────────────────────────────


def statements(b, function):
    """The statements of a function's role; those that depend on a condition included."""
    _, role = b.role(function)
    for policy in listed(role.get("Properties", {}).get("Policies", [])):
        for one in policy["Fn::If"][1:] if "Fn::If" in policy else [policy]:
            if one != NO_VALUE:
                yield from listed(one["PolicyDocument"]["Statement"])


@check
def roles_are_own_and_exact(b):
    """1, 2, 3, 13, 35, F12: a role for each function, with tables, its own log group and traces, and nothing else."""
    trust = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    for name in b.functions:
        role_name, role = b.role(name)
        properties = role.get("Properties", {})
        if role_name != f"{name}Role" or set(properties) != {"AssumeRolePolicyDocument", "Policies"}:
            yield f"{name}: its role is {role_name} with {sorted(properties)}"
            continue
        if properties["AssumeRolePolicyDocument"].get("Statement") != trust:
            yield f"{role_name}: somebody else than Lambda may take it"
        logs = b.resources[name]["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        services = []
        given = list(statements(b, name))
        if cached(b, name):
            if [one for one in given if "ec2:" in text_of(one.get("Action", ""))] != INTERFACES:
                yield f"{role_name}: has a cache, and not exactly the permissions of a network"
            given = [one for one in given if one not in INTERFACES]
        for statement in given:
            actions = set(listed(statement.get("Action", "")))
            service = sorted(actions)[0].split(":")[0]
            services.append(service)
            if statement.get("Effect") != "Allow" or set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}:
                yield f"{role_name}: {text_of(statement)}"
            elif service == "logs":
                if actions != {"logs:CreateLogStream", "logs:PutLogEvents"} or statement["Resource"] not in ({"Fn::GetAtt": [logs, "Arn"]}, {"Fn::GetAtt": f"{logs}.Arn"}):
                    yield f"{role_name}: logs are {text_of(statement)}"
            elif service == "xray":
                if actions != {"xray:PutTraceSegments", "xray:PutTelemetryRecords"} or statement["Resource"] != "*":
                    yield f"{role_name}: traces are {text_of(statement)}"
            elif not actions <= READS | WRITES:
                yield f"{role_name}: may {', '.join(sorted(actions - READS - WRITES))}"
        if sorted(set(services)) != ["dynamodb", "logs", "xray"] or services.count("logs") != 1 or services.count("xray") != 1:
            yield f"{role_name}: statements of {services}"
    for case in b.cases:
        for name, function in case.of_type("AWS::Lambda::Function").items():
            if function["Properties"].get("Role") not in ({"Fn::GetAtt": [f"{name}Role", "Arn"]}, {"Fn::GetAtt": f"{name}Role.Arn"}):
                yield f"{case.name}: {name} has the role {text_of(function['Properties'].get('Role'))}"


def target(resource):
    """The table and the index of an exact ARN."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        at = resource["Fn::GetAtt"]
        name, attribute = at.split(".") if isinstance(at, str) else at
        return (name, None) if attribute == "Arn" else (None, None)
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else ""
    existing = r"arn:\$\{AWS::Partition\}:dynamodb:\$\{AWS::Region\}:\$\{AWS::AccountId\}:table/\$\{(\w+)\}(?:/index/([A-Za-z0-9_.-]+))?"
    found = re.fullmatch(r"\$\{(\w+)\.Arn\}/index/([A-Za-z0-9_.-]+)", text) or re.fullmatch(existing, text)
    return found.groups() if found else (None, None)


@check
def statements_name_exact_tables_and_indexes(b):
    """8, 9: no wildcard, and only what is there."""
    for name in b.functions:
        for statement in statements(b, name):
            actions = set(listed(statement.get("Action", "")))
            if not any(action.startswith("dynamodb:") for action in actions):
                continue
            for resource in listed(statement.get("Resource", [])):
                table, index = target(resource)
                if table not in b.known_tables or index is not None and index not in [one["IndexName"] for one in b.indexes(table)]:
                    yield f"{name}: {sorted(actions)} on {text_of(resource)}"
                elif index is not None and actions != {"dynamodb:Query"}:
                    yield f"{name}: {sorted(actions)} on the index {index}"


@check
def reads_name_their_attributes(b):
    """5, 6, 7: both conditions, and only attributes that are public, or keys."""
    published = properties_published()
    for name in b.functions:
        for statement in statements(b, name):
            actions = set(listed(statement.get("Action", "")))
            if not actions & READS:
                continue
            condition = statement.get("Condition", {})
            attributes = condition.get("ForAllValues:StringEquals", {}).get("dynamodb:Attributes")
            select = condition.get("StringEquals", {}).get("dynamodb:Select")
            wanted = ["SPECIFIC_ATTRIBUTES", "COUNT"] if actions == {"dynamodb:Query"} else ["SPECIFIC_ATTRIBUTES"]
            if not isinstance(attributes, list) or sorted(listed(select or [])) != sorted(wanted) or set(condition) != {"ForAllValues:StringEquals", "StringEquals"}:
                yield f"{name}: {sorted(actions)} under {text_of(condition)}"
                continue
            for resource in listed(statement["Resource"]):
                table, index = target(resource)
                if table not in b.tables:
                    continue
                keys = {one["AttributeName"] for one in b.tables[table]["Properties"]["AttributeDefinitions"]}
                for attribute in attributes:
                    if attribute not in published and attribute not in keys:
                        yield f"{name}: {attribute} of {table} is neither public nor a key"


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────


@check
def tables_outlive_the_stack_but_not_a_failed_creation(b):
    """20, F2."""
    for name, resource in b.resources.items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool") and name != COUNTERS:
            policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
            if policies != ("RetainExceptOnCreate", "Retain"):
                yield f"{name}: {policies}"


@check
def tables_are_on_demand_bounded_and_recoverable(b):
    """21, 41, F3, F11, M10."""
    throughput, insights = {"MaxReadRequestUnits": {"Ref": "MaxReadUnits"}}, {"Enabled": {"Fn::If": ["HasContributorInsights", True, False]}}
    for name, table in b.tables.items():
        properties = table["Properties"]
        wanted = {
            "BillingMode": "PAY_PER_REQUEST", "OnDemandThroughput": throughput, "ContributorInsightsSpecification": insights,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "DeletionProtectionEnabled": {"Fn::If": ["IsProtected", True, False]},
        }
        for member, value in wanted.items():
            if properties.get(member) != value:
                yield f"{name}: {member} is {text_of(properties.get(member))}"
        if "TableName" in properties or "ProvisionedThroughput" in properties:
            yield f"{name}: a name or a throughput of its own"
        for index in properties.get("GlobalSecondaryIndexes", []):
            if index.get("OnDemandThroughput") != throughput or index.get("ContributorInsightsSpecification") != insights:
                yield f"{name}: {index['IndexName']} has no bound or no insights"


@check
def table_keys_have_the_types_of_the_model(b):
    """12, 42: the published type of each key, and the table's key as the last part of an index's."""
    published = properties_published()
    for name, table in b.tables.items():
        properties = table["Properties"]
        for definition in properties["AttributeDefinitions"]:
            types = published.get(definition["AttributeName"], set())
            wanted = {"N"} if types and types <= {"number", "integer"} else {"S"} if types == {"string"} else {"S", "N", "B"}
            if definition["AttributeType"] not in wanted:
                yield f"{name}: {definition['AttributeName']} is {definition['AttributeType']}, and openapi.json says {sorted(types)}"
        own = {key["AttributeName"] for key in properties["KeySchema"]}
        for index in b.indexes(name):
            ranges = [key["AttributeName"] for key in index["KeySchema"] if key["KeyType"] == "RANGE"]
            if len(ranges) > 1 and (ranges[-1] not in own or any(one in own for one in ranges[:-1])):
                yield f"{name}: {index['IndexName']} ends with {ranges}; the last must be the item's own key, which makes the order total"


@check
def deletion_protection_is_off_first(b):
    """F11: with it, a failed first deployment could not be rolled back."""
    parameter = b.parameters.get("DeletionProtection", {})
    if parameter.get("Default") != "off" or parameter.get("AllowedValues") != ["off", "on"]:
        yield f"DeletionProtection is {text_of(parameter)}"
    for environment, given in b.environments.items():
        if given.get("DeletionProtection", "off") != "off":
            yield f"samconfig.toml: {environment} starts with DeletionProtection"


@check
def policies_are_explicit(b):
    """I3011: what is lost with the stack is said."""
    for name, resource in b.resources.items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"):
            if not resource.get("DeletionPolicy") or not resource.get("UpdateReplacePolicy"):
                yield f"{name}: DeletionPolicy and UpdateReplacePolicy must be written"


# ── Quotas of callers ────────────────────────────────────────────────────────────────────────────────────────────────


@check
def quotas_are_counted(b):
    """The counters: on demand and bounded, forgotten by themselves, and lost with the stack."""
    wanted = {
        "BillingMode": "PAY_PER_REQUEST", "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "AttributeDefinitions": [{"AttributeName": "caller", "AttributeType": "S"}, {"AttributeName": "window", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "caller", "KeyType": "HASH"}, {"AttributeName": "window", "KeyType": "RANGE"}],
    }
    table = b.resources.get(COUNTERS, {})
    given = dict(table.get("Properties", {}))
    bound = given.pop("OnDemandThroughput", {}).get("MaxWriteRequestUnits", 0)
    if given != wanted or not 100 <= bound <= 4000:
        yield f"{COUNTERS} is {text_of(given)}, at most {bound} writes a second"
    if (table.get("DeletionPolicy"), table.get("UpdateReplacePolicy")) != ("Delete", "Delete"):
        yield f"{COUNTERS}: it is kept when the stack is deleted"
    alarms = [properties for alarm in b.of_type("AWS::CloudWatch::Alarm").values() if (properties := alarm["Properties"]).get("MetricName") == "quotaOpen"]
    if [(one.get("Statistic"), one.get("Dimensions")) for one in alarms] != [("Sum", [{"Name": "stack", "Value": {"Ref": "AWS::StackName"}}])]:
        yield "no alarm watches requests that are not counted"
    boards = b.of_type("AWS::CloudWatch::Dashboard").values()
    if not any('["LeanRoutes", "quotaOpen", "stack", "${AWS::StackName}"]' in board["Properties"]["DashboardBody"].get("Fn::Sub", "") for board in boards):
        yield "no dashboard shows requests that are not counted"
    for name, longest in (("CallerQuota", 999999), ("ServiceQuota", 999999), ("CallerWindow", 3600)):
        parameter = b.parameters.get(name, {})
        if (parameter.get("Type"), parameter.get("MinValue"), parameter.get("MaxValue")) != ("Number", int(name == "CallerWindow"), longest):
            yield f"{name} is {text_of(parameter)}"


@check
def writes_are_those_of_the_counters(b):
    """Exactly one permission to write for each function with a quota, and none for others: UpdateItem of a counter."""
    wanted = {
        "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": {"Fn::GetAtt": [COUNTERS, "Arn"]},
        "Condition": {
            "StringEquals": {"dynamodb:ReturnValues": "UPDATED_NEW"},
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["caller", "window", "used", "expires"]},
        },
    }
    for name in b.functions:
        counted = "LIMITS_TABLE" in b.environment(name)
        private = any("Auth" in event["Properties"] for event in b.events(name).values())
        if private and not counted:
            yield f"{name}: a private route without a quota"
        found = [{key: value for key, value in one.items() if key != "Sid"} for one in statements(b, name) if set(listed(one.get("Action", ""))) & WRITES or COUNTERS in refs(one)]
        for one in found:
            at = one.get("Resource", {})
            if isinstance(at, dict) and at.get("Fn::GetAtt") == f"{COUNTERS}.Arn":
                one["Resource"] = wanted["Resource"]
        if found != [wanted] * counted:
            yield f"{name}: may write {text_of(found)}"


# ── The cache tier ───────────────────────────────────────────────────────────────────────────────────────────────────


ELASTICACHE = ("AWS::ElastiCache::", "AWS::EC2::")


@check
def cache_follows_its_parameter(b):
    """Off: no cache, no network, no address, no permission. On: all of them, for the functions that use it and for no other."""
    users = {name for name in b.functions if cached(b, name)}
    for case in b.cases:
        on = case.decider.values["CacheTier"] == "valkey"
        made = {name for name, resource in case.decided["Resources"].items() if resource["Type"].startswith(ELASTICACHE) or name == "CacheSecret"}
        endpoint = {"DynamoDbEndpoint"} if case.decider.values["CacheRouteTableIds"] else set()
        if made != ({"Cache", "CacheUser", "CacheUsers", "CacheSecret"} | endpoint if on else set()):
            yield f"{case.name}: there are {sorted(made)}"
        for name, function in case.of_type("AWS::Lambda::Function").items():
            connected, addressed = "VpcConfig" in function["Properties"], "CACHE_URL" in function["Properties"]["Environment"]["Variables"]
            allowed = "ec2:" in text_of(case.decided["Resources"].get(f"{name}Role", {}))
            if {connected, addressed, allowed} != {on and name in users}:
                yield f"{case.name}: {name} is{'' if connected else ' not'} in a network, has {'an' if addressed else 'no'} address, and may{'' if allowed else ' not'} have interfaces"
    for name in users:
        if b.resources[name]["Properties"].get("VpcConfig") != CONNECTED:
            yield f"{name}: VpcConfig is {text_of(b.resources[name]['Properties'].get('VpcConfig'))}"
    if b.parameters.get("CacheTier", {}).get("Default") != "off":
        yield "the cache is not off by default"


@check
def cache_needs_a_network(b):
    """A cache without subnets and group is refused, and so is what is no id."""
    network = {"CacheSubnetIds": "subnet-1,subnet-2", "CacheSecurityGroupId": "sg-1"}
    tables = {"CacheRouteTableIds": "rtb-1"}
    for given, wanted in (
        ({}, ["CacheWithNetwork"]), ({"CacheSubnetIds": "subnet-1,subnet-2"}, ["CacheWithNetwork"]), ({"CacheSecurityGroupId": "sg-1"}, ["CacheWithNetwork"]),
        (network, []), ({**network, **tables}, ["RouteTablesWithVpc"]), ({**network, **tables, "CacheVpcId": "vpc-1"}, []),
    ):
        broken = Decider(b.source, {"CacheTier": "valkey", **given}).broken_rules(b.source)
        if broken != wanted:
            yield f"valkey with {given or 'no network'}: broken rules {broken}"
    for name, good, bad in (
        ("CacheSubnetIds", ("", "subnet-0a,subnet-0b", "subnet-0a,subnet-0b,subnet-0c"), ("subnet-0a", "subnet-0a, subnet-0b", "a,b", "subnet-0a,subnet-0b,subnet-0c,subnet-0d")),
        ("CacheSecurityGroupId", ("", "sg-0a"), ("sg-0a,sg-0b", "default")),
        ("CacheVpcId", ("", "vpc-0a"), ("main",)),
        ("CacheRouteTableIds", ("", "rtb-0a", "rtb-0a,rtb-0b"), ("rtb-0a, rtb-0b", "main")),
    ):
        pattern = re.compile(b.parameters[name].get("AllowedPattern", ".*"))
        for value, accepted in [(value, True) for value in good] + [(value, False) for value in bad]:
            if bool(pattern.fullmatch(value)) != accepted:
                yield f"{name}: `{value}` is {'refused' if accepted else 'accepted'}"


@check
def cache_is_bounded_and_closed(b):
    """What it costs has bounds; a password opens it, for the functions' commands on their keys; its name changes with the generation."""
    name = ["lean-routes", {"Fn::Select": [4, {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}]}]}]
    prefix, commands = cache_access()
    of_a_generation = {"Fn::Join": ["-", [*name, {"Ref": "CacheGeneration"}]]}
    wanted = {
        "CacheSecret": {"GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}},
        "CacheUser": {
            "Engine": "valkey", "UserId": of_a_generation, "UserName": of_a_generation,
            "AuthenticationMode": {"Type": "password", "Passwords": [{"Fn::Sub": "{{resolve:secretsmanager:${CacheSecret}}}"}]},
            "AccessString": f"on ~{prefix}* -@all {' '.join(f'+{command}' for command in commands)}",
        },
        "CacheUsers": {"Engine": "valkey", "UserGroupId": {"Fn::Join": ["-", name]}, "UserIds": [{"Ref": "CacheUser"}]},
        "Cache": {
            "ServerlessCacheName": of_a_generation, "Engine": "valkey", "MajorEngineVersion": "8", "UserGroupId": {"Ref": "CacheUsers"},
            "SubnetIds": {"Fn::Split": [",", {"Ref": "CacheSubnetIds"}]}, "SecurityGroupIds": [{"Ref": "CacheSecurityGroupId"}],
            "CacheUsageLimits": {"DataStorage": {"Maximum": {"Ref": "CacheMaxGigabytes"}, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": {"Ref": "CacheMaxUnits"}}},
        },
        "DynamoDbEndpoint": {
            "VpcEndpointType": "Gateway", "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.dynamodb"}, "VpcId": {"Ref": "CacheVpcId"},
            "RouteTableIds": {"Fn::Split": [",", {"Ref": "CacheRouteTableIds"}]},
        },
    }
    for resource, properties in wanted.items():
        given = {key: value for key, value in b.resources.get(resource, {}).get("Properties", {}).items() if key != "Description"}
        for member in sorted(set(given) | set(properties)):
            if given.get(member) != properties.get(member):
                yield f"{resource}: {member} is {text_of(given.get(member))}"
    for resource in b.of_type("AWS::ElastiCache::ServerlessCache"):
        if "DynamoDbEndpoint" not in refs(b.resources[resource]["Properties"]):
            yield f"{resource}: the functions, which wait for it, could be in the network before the way to DynamoDB is there"
    bounds = {"CacheMaxGigabytes": (1, 1), "CacheMaxUnits": (1000, 1000), "CacheGeneration": (1, 1)}
    for parameter, (default, least) in bounds.items():
        given = b.parameters.get(parameter, {})
        if (given.get("Type"), given.get("Default"), given.get("MinValue")) != ("Number", default, least):
            yield f"{parameter} is {text_of(given)}"


@check
def cache_is_watched(b):
    """An alarm on requests that went without it, one on refused commands, both only with a cache; and the dashboard."""
    alarms = b.of_type("AWS::CloudWatch::Alarm")
    for namespace, metric, dimensions in (
        ("LeanRoutes", "cacheOpen", [{"Name": "stack", "Value": {"Ref": "AWS::StackName"}}]),
        ("AWS/ElastiCache", "ThrottledCmds", [{"Name": "clusterId", "Value": {"Ref": "Cache"}}]),
    ):
        found = [alarm for alarm in alarms.values() if (alarm["Properties"].get("Namespace"), alarm["Properties"].get("MetricName")) == (namespace, metric)]
        if [(one["Properties"].get("Dimensions"), one["Properties"].get("Statistic"), one.get("Condition")) for one in found] != [(dimensions, "Sum", "HasCache")]:
            yield f"no alarm watches {metric}"
    boards = b.of_type("AWS::CloudWatch::Dashboard").values()
    if not any('["LeanRoutes", "cacheOpen", "stack", "${AWS::StackName}"]' in board["Properties"]["DashboardBody"].get("Fn::Sub", "") for board in boards):
        yield "no dashboard shows requests that went without the cache"


# ── Capacity ─────────────────────────────────────────────────────────────────────────────────────────────────────


@check
def throttles_fit_the_concurrency(b):
    """F3: at REQUEST_TIME a request, all routes of a function at their rate need no more executions than it has."""
    for case in b.cases:
        values = case.decider.values
        rate, reserved = int(values["RateLimit"]), int(values.get("ReservedConcurrency", 0))
        for name in b.functions:
            # A caller of an interface gets or posts, so each of its paths counts once.
            routes = len({event["Properties"].get("Path") for event in b.events(name).values()}) if is_interface(b.binary(name)) else len(b.events(name))
            needed = rate * routes * REQUEST_SECONDS
            free = reserved or 500  # half of what an account has by default
            if needed > free:
                yield f"{case.name}: {name} may need {needed:.0f} executions at once, and has {free}"
        if reserved * len(b.functions) > 900:
            yield f"{case.name}: {reserved} for each of {len(b.functions)} functions is more than 900; an account has 1,000 by default"
        if int(values["BurstLimit"]) > 10 * rate:
            yield f"{case.name}: BurstLimit {values['BurstLimit']} is more than ten times RateLimit {rate}"
    if int(b.environments.get("prod", {}).get("ReservedConcurrency", 0)) == 0:
        yield "samconfig.toml: prod reserves no concurrency"


# ── The API ──────────────────────────────────────────────────────────────────────────────────────────────────────


def api(b):
    return b.resources["Api"]["Properties"]


@check
def api_settings(b):
    """18, 19, 39: no stage in the path, warnings fail, throttles are parameters, none for a single route."""
    wanted = {"Auth", "AccessLogSettings", "CorsConfiguration", "DefaultRouteSettings", "FailOnWarnings", "StageName"}
    if [name for name, resource in b.resources.items() if resource["Type"].startswith("AWS::Serverless::") and resource["Type"].endswith("Api")] != ["Api"]:
        yield "Api is not the only API"
    if set(api(b)) != wanted:
        yield f"has {sorted(set(api(b)) - wanted)}, lacks {sorted(wanted - set(api(b)))}"
    if api(b).get("StageName") != "$default" or api(b).get("FailOnWarnings") is not True:
        yield f"StageName is {api(b).get('StageName')}, FailOnWarnings {api(b).get('FailOnWarnings')}"
    settings = {"DetailedMetricsEnabled": False, "ThrottlingRateLimit": {"Ref": "RateLimit"}, "ThrottlingBurstLimit": {"Ref": "BurstLimit"}}
    if api(b).get("DefaultRouteSettings") != settings:
        yield f"DefaultRouteSettings is {text_of(api(b).get('DefaultRouteSettings'))}"


@check
def api_authorizer(b):
    """27, 28: issuer, audience and the one place of the token."""
    wanted = {
        "Authorizers": {
            "Jwt": {
                "IdentitySource": "$request.header.Authorization",
                "JwtConfiguration": {
                    "issuer": {"Fn::If": ["MakeUserPool", {"Fn::Sub": "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}"}, {"Ref": "JwtIssuer"}]},
                    "audience": {"Fn::If": ["MakeUserPool", [{"Ref": "UserPoolClient"}, {"Ref": "ServiceClient"}], {"Ref": "JwtAudience"}]},
                },
            }
        }
    }
    if api(b).get("Auth") != wanted:
        yield f"Auth is {text_of(api(b).get('Auth'))}"
    if b.source["Conditions"].get("MakeUserPool") != {"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}:
        yield "MakeUserPool does not ask for JwtIssuer"
    if "AudienceWithIssuer" not in Decider(b.source, {"JwtIssuer": "https://id.example.com"}).broken_rules(b.source):
        yield "an issuer without an audience is accepted"


@check
def cors_headers(b):
    """23, 24, F17: the methods of the routes, the headers that the functions read and write."""
    cors = api(b).get("CorsConfiguration", {}).get("Fn::If", [None, {}])[1]
    methods = {event["Properties"].get("Method") for name in b.functions for event in b.events(name).values()}
    # POST may stay if nothing is left that takes it.
    if set(cors.get("AllowMethods", [])) not in (methods | {"OPTIONS"}, methods | {"OPTIONS", "POST"}):
        yield f"AllowMethods is {cors.get('AllowMethods')}, and the routes have {sorted(methods, key=str)}"
    read = headers_read() | {"authorization"} | ({"content-type"} if methods & {"POST", "PUT", "PATCH"} else set())
    if missing := read - set(cors.get("AllowHeaders", [])):
        yield f"AllowHeaders lacks {sorted(missing)}"
    if missing := (headers_written() | {"apigw-requestid", "etag", "www-authenticate"}) - set(cors.get("ExposeHeaders", [])):
        yield f"ExposeHeaders lacks {sorted(missing)}"
    if cors.get("AllowOrigins") != {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}:
        yield f"AllowOrigins is {text_of(cors.get('AllowOrigins'))}"
    if "AllowCredentials" in cors:
        yield "AllowCredentials: tokens are in a header, and cookies are not read"


@check
def origins_are_origins(b):
    """F13: what never matches is refused, and nobody is allowed unless somebody is named."""
    parameter = b.parameters["AllowedOrigins"]
    pattern = re.compile(parameter.get("AllowedPattern", ".*"))
    if parameter.get("Default") != "":
        yield f"the default is {parameter.get('Default')}"
    for good in ("", "https://a.example", "http://localhost:3000", "https://a.example,https://b.example:8443"):
        if not pattern.fullmatch(good):
            yield f"`{good}` is refused"
    for bad in ("*", "https://*", "https://a.example, https://b.example", "https://a.example/", "https://a.example/app", "a.example", "https://a.example,"):
        if pattern.fullmatch(bad):
            yield f"`{bad}` is accepted"


@check
def access_log_is_json_and_has_no_secrets(b):
    """33, 34, F15: an exact list of fields, each quoted, none with free text; addresses only on request."""
    fields = {
        "requestId": "$context.requestId", "time": "$context.requestTime", "routeKey": "$context.routeKey", "status": "$context.status",
        "bytes": "$context.responseLength", "latencyMs": "$context.responseLatency", "integrationMs": "$context.integrationLatency",
        "integrationStatus": "$context.integrationStatus", "lambdaStatus": "$context.integration.status",
        "lambdaRequestId": "$context.integration.requestId", "errorType": "$context.error.responseType", "domain": "$context.domainName",
        "protocol": "$context.protocol",
    }
    for case in b.cases:
        stages = case.of_type("AWS::ApiGatewayV2::Stage")
        for stage in stages.values():
            settings = stage["Properties"].get("AccessLogSettings", {})
            line, names = settings.get("Format", {}).get("Fn::Sub", ["", {}])
            line = line.replace("${Address}", str(names.get("Address")))
            wanted = fields | ({"address": "$context.identity.sourceIp"} if case.given.get("LogAddresses") == "on" else {})
            try:
                given = json.loads(line)
            except ValueError:
                yield f"{case.name}: {line!r} is no JSON"
                continue
            if given != wanted:
                yield f"{case.name}: {sorted(set(given.items()) ^ set(wanted.items()))}"
            if settings.get("DestinationArn") not in ({"Fn::GetAtt": ["AccessLogs", "Arn"]}, {"Fn::GetAtt": "AccessLogs.Arn"}):
                yield f"{case.name}: it goes to {text_of(settings.get('DestinationArn'))}"


# ── Logs and alarms ──────────────────────────────────────────────────────────────────────────────────────────────


@check
def log_groups(b):
    """14, 15, F18: every function and the API has one, with a time limit."""
    for name, function in b.functions.items():
        wanted = {"LogGroup": {"Ref": f"{name}Logs"}}
        if function["Properties"].get("LoggingConfig") != wanted:
            yield f"{name}: LoggingConfig is {text_of(function['Properties'].get('LoggingConfig'))}"
        group = b.resources.get(f"{name}Logs", {})
        if group.get("Properties", {}).get("LogGroupName") != {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}/{b.binary(name)}"}:
            yield f"{name}Logs: the name is {text_of(group.get('Properties', {}).get('LogGroupName'))}"
    for name, group in b.of_type("AWS::Logs::LogGroup").items():
        if group["Properties"].get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"{name}: it is kept for {text_of(group['Properties'].get('RetentionInDays'))} days"
        if (group.get("DeletionPolicy"), group.get("UpdateReplacePolicy")) != ("Delete", "Delete"):
            yield f"{name}: a named group that is kept makes the next deployment fail"
    if max(b.parameters["LogRetentionDays"].get("AllowedValues", [0])) < 3653:
        yield "LogRetentionDays ends before ten years"


def metrics(alarm):
    """The metrics of an alarm: namespace, name, dimensions, statistic, period."""
    properties = alarm["Properties"]
    if "MetricName" in properties:
        dimensions = {one["Name"]: one["Value"] for one in properties.get("Dimensions", [])}
        yield properties.get("Namespace"), properties["MetricName"], dimensions, properties.get("Statistic") or properties.get("ExtendedStatistic"), properties.get("Period")
    for one in properties.get("Metrics", []):
        if "MetricStat" in one:
            stat = one["MetricStat"]
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in stat["Metric"].get("Dimensions", [])}
            yield stat["Metric"].get("Namespace"), stat["Metric"].get("MetricName"), dimensions, stat.get("Stat"), stat.get("Period")


@check
def alarms_watch_metrics_that_exist(b):
    """16, 40, F7, F9: names and dimensions as AWS and the functions write them."""
    binaries = {b.binary(name) for name in b.functions}
    for name, alarm in b.of_type("AWS::CloudWatch::Alarm").items():
        watched = list(metrics(alarm))
        if not watched:
            yield f"{name}: it watches nothing"
        for namespace, metric, dimensions, _, _ in watched:
            if namespace == "AWS/Lambda":
                good = metric in ("Errors", "Throttles", "Invocations") and set(dimensions) == {"FunctionName"} and dimensions["FunctionName"].get("Ref") in b.functions if isinstance(dimensions.get("FunctionName"), dict) else False
            elif namespace == "AWS/ApiGateway":
                good = metric in ("4xx", "5xx", "Count", "Latency") and dimensions == {"ApiId": {"Ref": "Api"}}
            elif namespace == "AWS/DynamoDB":
                table = dimensions.get("TableName", {})
                table = table.get("Ref") if isinstance(table, dict) else None
                index = dimensions.get("GlobalSecondaryIndexName")
                good = metric in ("ReadThrottleEvents", "WriteThrottleEvents") and table in b.known_tables and set(dimensions) <= {"TableName", "GlobalSecondaryIndexName"}
                good = good and (index is None or index in [one["IndexName"] for one in b.indexes(table)])
                if good and "FILL(" not in text_of(alarm["Properties"].get("Metrics", [])):
                    yield f"{name}: an alarm on AWS/DynamoDB ignores missing data, so FILL is needed"
            elif namespace == "AWS/ElastiCache":
                good = metric == "ThrottledCmds" and dimensions == {"clusterId": {"Ref": "Cache"}}
            elif namespace == "LeanRoutes":
                of_route = dimensions.get("route") in binaries if metric not in OF_THE_STACK else "route" not in dimensions
                good = metric in metrics_written() and dimensions.get("stack") == {"Ref": "AWS::StackName"} and of_route and len(dimensions) == 1 + ("route" in dimensions)
            else:
                filters = [one["Properties"]["MetricTransformations"][0] for one in b.of_type("AWS::Logs::MetricFilter").values()]
                good = any(one["MetricNamespace"] == namespace and one["MetricName"] == metric for one in filters) and not dimensions
            if not good:
                yield f"{name}: {namespace} has no {metric} with {text_of(dimensions)}"
        ids = {one["Id"] for one in alarm["Properties"].get("Metrics", []) if "MetricStat" in one}
        for one in alarm["Properties"].get("Metrics", []):
            expression = one.get("Expression", "METRICS()")
            words = set(re.findall(r"\b[a-z]\w*\b", expression))
            if "METRICS()" not in expression and words != ids:
                yield f"{name}: `{expression}` uses {sorted(words)} of {sorted(ids)}"
        if alarm["Properties"].get("TreatMissingData") != "notBreaching":
            yield f"{name}: no traffic must be no alarm"


@check
def alarms_cover_every_function_table_and_index(b):
    """17: errors, faults and throttles of each function; throttled reads of each table and index."""
    seen = set()
    for name, alarm in b.of_type("AWS::CloudWatch::Alarm").items():
        for namespace, metric, dimensions, stat, _ in metrics(alarm):
            seen.add((str(namespace), metric, stat, text_of(dimensions), name))
    any_alarm = {entry[:4] for entry in seen}
    for name in b.functions:
        own = text_of({"FunctionName": {"Ref": name}})
        route = text_of({"stack": {"Ref": "AWS::StackName"}, "route": b.binary(name)})
        for entry in (("AWS/Lambda", "Errors", "Sum", own, f"{name}Crashes"), ("AWS/Lambda", "Errors", "Sum", own, f"{name}Faults"), ("LeanRoutes", "faults", "Sum", route, f"{name}Faults")):
            if entry not in seen:
                yield f"{entry[4]} does not watch {entry[1]} of {name}"
        if ("AWS/Lambda", "Throttles", "Sum", own) not in any_alarm:
            yield f"no alarm watches Throttles of {name}"
    for name in b.tables:
        for dimensions in [{"TableName": {"Ref": name}}] + [{"TableName": {"Ref": name}, "GlobalSecondaryIndexName": index["IndexName"]} for index in b.tables[name]["Properties"].get("GlobalSecondaryIndexes", [])]:
            if ("AWS/DynamoDB", "ReadThrottleEvents", "Sum", text_of(dimensions)) not in any_alarm:
                yield f"no alarm watches throttled reads of {text_of(dimensions)}"


@check
def alarms_see_much_and_little_traffic(b):
    """F7, M7: fast and slow alarms on 5xx, one on latency, one on 429."""
    alarms = b.of_type("AWS::CloudWatch::Alarm")
    periods = {period for alarm in alarms.values() for namespace, metric, _, _, period in metrics(alarm) if (namespace, metric) == ("AWS/ApiGateway", "5xx")}
    if not periods or min(periods) > 300 or max(periods) < 3600:
        yield f"5xx of the API are watched over {sorted(periods)} s; 300 or less and 3,600 or more are needed"
    if not any(metric == "Latency" and stat == "p99" for alarm in alarms.values() for _, metric, _, stat, _ in metrics(alarm)):
        yield "no alarm on the latency"
    filters = [one["Properties"] for one in b.of_type("AWS::Logs::MetricFilter").values()]
    if not any(one["LogGroupName"] == {"Ref": "AccessLogs"} and one["FilterPattern"] == '{ $.status = "429" }' for one in filters):
        yield "nothing counts 429"
    elif not any(one["MetricTransformations"][0]["MetricName"] == metric for one in filters for alarm in alarms.values() for _, metric, _, _, _ in metrics(alarm)):
        yield "no alarm on 429"


@check
def alarms_notify_somebody_in_prod(b):
    """F7: each alarm says so when it goes off and when it is over, and prod cannot be deployed without an address."""
    for name, alarm in b.of_type("AWS::CloudWatch::Alarm").items():
        for member in ("AlarmActions", "OKActions"):
            if alarm["Properties"].get(member) != NOTIFY:
                yield f"{name}: {member} is {text_of(alarm['Properties'].get(member))}"
    for given, allowed in (({}, False), ({"AlarmEmail": "a@example.com"}, True), ({"AlarmTopicArn": "arn:aws:sns:x:1:t"}, True)):
        broken = Decider(b.source, {"Stage": "prod", **given}).broken_rules(b.source)
        if (not broken) != allowed:
            yield f"prod with {given or 'nobody to notify'}: broken rules {broken}"
    topic = b.resources.get("AlarmTopic", {}).get("Properties", {})
    if topic.get("Subscription") != [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}]:
        yield f"AlarmTopic is {text_of(topic)}"
    if b.environments.get("prod", {}).get("Stage") != "prod":
        yield "samconfig.toml: prod is not Stage=prod"


@check
def rules_hold_in_every_case(b):
    for case in b.cases:
        if broken := case.decider.broken_rules(b.source):
            yield f"{case.name}: {broken}"


@check
def dashboard(b):
    """17, M5, F9: JSON, of this stack, with metrics that the functions write."""
    for name, resource in b.of_type("AWS::CloudWatch::Dashboard").items():
        body = resource["Properties"]["DashboardBody"].get("Fn::Sub", "")
        try:
            widgets = json.loads(body)["widgets"]
        except ValueError as error:
            yield f"{name} is no JSON: {error}"
            continue
        named = set(re.findall(r'LeanRoutes,stack,route\}.*?MetricName=\\"(\w+)', body))
        if not {"faults", "duration", "coldStarts", "notModified", "readUnits", "writeUnits", "quotaRefused", "cacheHits", "cacheMisses"} <= named <= metrics_written():
            yield f"{name}: it shows {sorted(named)}, and the functions write {sorted(metrics_written())}"
        if body.count("LeanRoutes,stack,route}") != body.count('stack=\\"${AWS::StackName}\\"'):
            yield f"{name}: a search without the stack"
        if missing := (set(b.functions) | set(b.tables)) - refs(resource["Properties"]):
            yield f"{name}: it does not show {sorted(missing)}"
        if len(widgets) < 8:
            yield f"{name}: {len(widgets)} widgets"
    if not b.of_type("AWS::CloudWatch::Dashboard"):
        yield "there is none"


# ── Deployment ───────────────────────────────────────────────────────────────────────────────────────────────────


@check
def gradual_deployments_go_back(b):
    """F6: a gradual deployment watches the function's own alarms; AllAtOnce watches none, so that it can mend what is broken."""
    for name, function in b.functions.items():
        wanted = {"Alarms": {"Fn::If": ["IsGradual", [{"Ref": f"{name}Faults"}, {"Ref": f"{name}Crashes"}], [NO_VALUE]]}}
        if function["Properties"].get("DeploymentPreference") != wanted:
            yield f"{name}: DeploymentPreference is {text_of(function['Properties'].get('DeploymentPreference'))}"
    if b.parameters.get("Deployment", {}).get("Default") != "AllAtOnce":
        yield "the parameter Deployment is not there"
    if b.environments.get("prod", {}).get("Deployment", "AllAtOnce") == "AllAtOnce":
        yield "samconfig.toml: prod changes all at once"
    for case in b.cases:
        groups = case.of_type("AWS::CodeDeploy::DeploymentGroup")
        gradual = case.decider.values.get("Deployment", "AllAtOnce") != "AllAtOnce"
        if len(groups) != len(b.functions):
            yield f"{case.name}: {len(groups)} deployment groups for {len(b.functions)} functions"
        for name, group in groups.items():
            watched = group["Properties"].get("AlarmConfiguration", {})
            if bool(watched.get("Enabled")) != gradual or gradual and len(watched["Alarms"]) != 2:
                yield f"{case.name}: {name} watches {text_of(watched)}"


@check
def samconfig_is_ready(b):
    """F8, F18: no experiments, a place for the region, artefacts of each stage apart, failures rolled back."""
    if "beta_features" in re.sub(r"#.*", "", b.config):
        yield "beta_features turns on more than Rust"
    for name in ("dev", "prod"):
        section = b.config.split(f"[{name}.global.parameters]")[-1].split("[")[0]
        if "region =" not in section:
            yield f"{name} has no place for the region"
        deploy = b.config.split(f"[{name}.deploy.parameters]")[-1].split("\n[")[0]
        for member in ('capabilities = "CAPABILITY_IAM"', "s3_prefix = ", "disable_rollback = false", "confirm_changeset = "):
            if member not in deploy:
                yield f"{name}: {member} is not said"
        if b.environments.get(name, {}).get("Stage") != name:
            yield f"{name} is the stage {b.environments.get(name, {}).get('Stage')}"
    for name, given in b.environments.items():
        for parameter in given:
            if parameter not in b.parameters:
                yield f"{name}: the template has no parameter {parameter}"


@check
def parameters_are_said_and_used(b):
    """Each has a description and a default, so that `sam deploy --guided` can be answered with Enter."""
    rest = {key: value for key, value in b.source.items() if key != "Parameters"}
    used = refs(rest)
    for name, parameter in b.parameters.items():
        if "Default" not in parameter or not parameter.get("Description"):
            yield f"{name}: a default and a description are needed"
        if name not in used:
            yield f"{name} is not used"
    asked = set(re.findall(r'"Condition": "(\w+)"', json.dumps(rest))) | used_conditions(rest)
    for name in b.source["Conditions"]:
        if name not in asked:
            yield f"the condition {name} is not used"


@check
def outputs_say_the_next_command(b):
    """F10, F18."""
    outputs = b.source["Outputs"]
    for name, output in outputs.items():
        if not output.get("Description"):
            yield f"{name}: no description"
    for name in ("ApiUrl", "ApiId", "Region", "AccessLogs", "FunctionLogs", "DashboardUrl", "TokenUrl", "LoginUrl"):
        if name not in outputs:
            yield f"{name} is not there"
    commands = [output for name, output in outputs.items() if re.match(r"Next\d", name)]
    if len(commands) < 3 or not all({"AWS::Region"} & refs(one["Value"]) for one in commands):
        yield "there are no next commands, or without the region"
    for table in b.tables:
        if not any(output["Value"] == {"Ref": table} for output in outputs.values()):
            yield f"{table} is in no output"


@check
def pipeline_deploys_without_keys_and_tries_the_stack(b):
    """M11: a role by OIDC, dev before prod, the smoke test with a token and an origin, and no key of AWS in a file."""
    deploy, stage = (yaml_parse(b.workflows[name]) for name in ("deploy", "deploy-to"))
    for name, text in b.workflows.items():
        if re.search(r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)|aws-secret-access-key|AKIA[A-Z0-9]{16}", text):
            yield f"{name}.yml: it names keys of AWS"
    jobs = {job.get("with", {}).get("stage"): (name, job) for name, job in deploy["jobs"].items()}
    if set(jobs) != set(b.environments) or any(job.get("permissions", {}).get("id-token") != "write" for _, job in jobs.values()):
        yield f"deploy.yml: the stages are {sorted(jobs, key=str)}, and each needs `id-token: write`"
    elif jobs["dev"][0] not in listed(jobs["prod"][1].get("needs", [])):
        yield "deploy.yml: prod does not wait for dev"
    (job,) = stage["jobs"].values()
    steps = "\n".join(text_of(step) for step in job["steps"])
    order = [steps.find(word) for word in ("sam build", "role-to-assume", "sam deploy", ".github/smoke")]
    if -1 in order or order != sorted(order) or "--no-confirm-changeset" not in steps or "environment" not in job:
        yield f"deploy-to.yml: build, role, deployment and smoke test are at {order}"
    script = (ROOT / ".github/smoke").read_text(encoding="utf-8")
    if missing := {word for word in ("--token", "--origin", "UserPoolId", "ServiceClientId", "AllowedOrigins", "ApiUrl") if word not in script}:
        yield f".github/smoke lacks {sorted(missing)}"
    if missing := {name for name in re.findall(r"\$\(output (\w+)\)", script) if name not in b.source["Outputs"]}:
        yield f".github/smoke asks for {sorted(missing)}, which is no output"


@check
def deploy_page_is_true(b):
    """M12: docs/DEPLOY.md states as many parameters as are asked for, the tools' tested versions, and outputs and parameters that exist."""
    if not re.search(rf"\b{len(b.parameters)} parameters\b", b.page):
        yield f"the page does not say `{len(b.parameters)} parameters`"
    required = dict(re.findall(r"^([a-z-]+)==(\S+)", (ROOT / ".ci/requirements.txt").read_text(encoding="utf-8"), re.M))
    for tool in ("aws-sam-cli", "cargo-lambda"):
        if f"tested with {required[tool]}" not in b.page:
            yield f"the page does not say `tested with {required[tool]}`"
    if missing := {name for name in re.findall(r"\$\(output (\w+)\)", b.page) if name not in b.source["Outputs"]}:
        yield f"{sorted(missing)} is no output"
    if missing := {name for name in re.findall(r"`([A-Z][a-z]\w+)=[^`]*`", b.page) if name not in b.parameters}:
        yield f"{sorted(missing)} is no parameter"


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────


@check
def user_pool(b):
    """30, F5, F11: what cannot be changed later, and what protects people."""
    for name, pool in b.of_type("AWS::Cognito::UserPool").items():
        given = pool["Properties"]
        wanted = {
            "UserPoolTier": "ESSENTIALS", "UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": False},
            "AutoVerifiedAttributes": ["email"], "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
            "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}, "MfaConfiguration": "OPTIONAL",
            "EnabledMfas": ["SOFTWARE_TOKEN_MFA"], "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
            "DeletionProtection": {"Fn::If": ["IsProtected", "ACTIVE", "INACTIVE"]}, "Policies": {"PasswordPolicy": {"MinimumLength": 12}},
        }
        for member in sorted(set(given) | set(wanted)):
            if given.get(member) != wanted.get(member):
                yield f"{name}: {member} is {text_of(given.get(member))}"


@check
def user_pool_clients(b):
    """30, F10: people by SRP, by code where there are callbacks, by password only for an administrator of dev; services by credentials."""
    clients = {name: client["Properties"] for name, client in b.of_type("AWS::Cognito::UserPoolClient").items()}
    callbacks = lambda value: {"Fn::If": ["HasCallbacks", value, NO_VALUE]}  # noqa: E731
    wanted = {
        "UserPoolClient": {
            "UserPoolId": {"Ref": "UserPool"},
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", {"Fn::If": ["IsDev", "ALLOW_ADMIN_USER_PASSWORD_AUTH", NO_VALUE]}],
            "PreventUserExistenceErrors": "ENABLED", "SupportedIdentityProviders": ["COGNITO"],
            "AllowedOAuthFlowsUserPoolClient": {"Fn::If": ["HasCallbacks", True, False]}, "AllowedOAuthFlows": callbacks(["code"]),
            "AllowedOAuthScopes": callbacks(["openid"]), "CallbackURLs": callbacks({"Ref": "CallbackUrls"}),
        },
        "ServiceClient": {
            "UserPoolId": {"Ref": "UserPool"}, "GenerateSecret": True, "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
            "AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["client_credentials"],
            "AllowedOAuthScopes": [{"Fn::Sub": "${ScopeServer}/${ReadAnyScope}"}],
        },
    }
    for name in sorted(set(clients) | set(wanted)):
        given, good = clients.get(name, {}), wanted.get(name, {})
        for member in sorted(set(given) | set(good)):
            if given.get(member) != good.get(member):
                yield f"{name}: {member} is {text_of(given.get(member))}"
    domain = b.resources.get("UserPoolDomain", {}).get("Properties", {})
    if domain.get("ManagedLoginVersion") != 2 or not b.of_type("AWS::Cognito::ManagedLoginBranding"):
        yield "the domain has no login page"


@check
def scope_needs_no_taking_apart(b):
    """F16: no Fn::Select of a parameter that may have no slash or several, and a user pool has a server for it."""
    def walk(node):
        if isinstance(node, dict):
            if "Fn::Select" in node and "ReadAnyScope" in refs(node):
                yield text_of(node)
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    yield from walk(b.source)
    if re.fullmatch(b.parameters["ReadAnyScope"].get("AllowedPattern", ".*"), "a/b"):
        yield "ReadAnyScope accepts a slash, which no scope of a user pool may have"
    if "ServerWithUserPool" not in Decider(b.source, {"ScopeServer": ""}).broken_rules(b.source):
        yield "a user pool without a resource server is accepted"


# ── The edge ─────────────────────────────────────────────────────────────────────────────────────────────────────


@check
def edge_keeps_only_public_answers(b):
    """Each public route has a behaviour that keeps answers, and no private one has."""
    def matches(pattern, path):
        return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), path)

    for name, distribution in b.of_type("AWS::CloudFront::Distribution").items():
        config = distribution["Properties"]["DistributionConfig"]
        default = config["DefaultCacheBehavior"]
        if (default.get("CachePolicyId"), default.get("OriginRequestPolicyId")) != ("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "b689b0a8-53d0-40ab-baf2-68738e2966ac"):
            yield f"{name}: the default behaviour is not CachingDisabled with AllViewerExceptHostHeader"
        kept = [behaviour["PathPattern"] for behaviour in config.get("CacheBehaviors", [])]
        taken = {event["Properties"]["Path"]: is_interface(b.binary(function)) for function in b.functions for event in b.events(function).values()}
        posted = lambda pattern: taken.get(pattern, pattern.startswith("/v1/graphql/"))  # noqa: E731
        for function in b.functions:
            for event in b.events(function).values():
                path, private = event["Properties"]["Path"], "Auth" in event["Properties"]
                sample = re.sub(r"\{[^}]*\}", "x", path)
                found = [pattern for pattern in kept if matches(pattern, sample)]
                if private and found:
                    yield f"{name}: answers of the private {path} are kept by {found[0]}"
                if not private and not found and event["Properties"].get("Method") == "GET":
                    yield f"{name}: no behaviour keeps answers of the public {path}"
        for behaviour in config.get("CacheBehaviors", []):
            # CloudFront knows no set of methods with POST but that of all.
            policy, methods = ("GraphqlAnswers", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]) if posted(behaviour["PathPattern"]) else ("PublicAnswers", ["GET", "HEAD", "OPTIONS"])
            good = behaviour.get("CachePolicyId") == {"Ref": policy} and "OriginRequestPolicyId" not in behaviour and behaviour.get("Compress") is True
            if not good or "SortQuery" not in text_of(behaviour.get("FunctionAssociations")) or behaviour.get("AllowedMethods") != methods:
                yield f"{name}: {behaviour['PathPattern']} is {text_of(behaviour)}"
        for behaviour in [default] + config.get("CacheBehaviors", []):
            if behaviour.get("ViewerProtocolPolicy") != "https-only" or not behaviour.get("ResponseHeadersPolicyId"):
                yield f"{name}: a behaviour without TLS or without security headers"
    if not b.of_type("AWS::CloudFront::Distribution"):
        yield "there is no distribution"


@check
def edge_keeps_what_the_origin_allows(b):
    """MinTTL above 0 would keep private answers; errors are kept for 10 s unless said otherwise; no Authorization in the key."""
    for name, policy in b.of_type("AWS::CloudFront::CachePolicy").items():
        config = policy["Properties"]["CachePolicyConfig"]
        key = config["ParametersInCacheKeyAndForwardedToOrigin"]
        if (config.get("MinTTL"), config.get("DefaultTTL"), config.get("MaxTTL")) != (0, 0, 86400):
            yield f"{name}: the times are {config.get('MinTTL')}, {config.get('DefaultTTL')}, {config.get('MaxTTL')}"
        if key["QueryStringsConfig"] != {"QueryStringBehavior": "all"} or key["CookiesConfig"] != {"CookieBehavior": "none"} or key.get("EnableAcceptEncodingGzip") is not True:
            yield f"{name}: the key is {text_of(key)}"
        # The Content-Type of GraphQL's answers is the one that Accept asks for.
        accept = ["accept"] if name == "GraphqlAnswers" else []
        wanted = {"Fn::If": [
            "HasOrigins", {"HeaderBehavior": "whitelist", "Headers": [*accept, "origin", "access-control-request-method", "access-control-request-headers"]},
            {"HeaderBehavior": "whitelist", "Headers": accept} if accept else {"HeaderBehavior": "none"},
        ]}
        if key["HeadersConfig"] != wanted:
            yield f"{name}: the key has the headers {text_of(key['HeadersConfig'])}"
    for name, distribution in b.of_type("AWS::CloudFront::Distribution").items():
        errors = {one["ErrorCode"]: one for one in distribution["Properties"]["DistributionConfig"].get("CustomErrorResponses", [])}
        for code in (404, 405, 414, 500, 501, 502, 503, 504):
            if errors.get(code) != {"ErrorCode": code, "ErrorCachingMinTTL": 0}:
                yield f"{name}: {code} is {text_of(errors.get(code))}"


@check
def edge_domain_has_a_certificate(b):
    """M2: a domain is refused without the CDN and a certificate, and is then its alias, with TLS 1.2 at least."""
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/x"
    for given, allowed in (({}, False), ({"Cdn": "on"}, False), ({"CdnCertificateArn": certificate}, False), ({"Cdn": "on", "CdnCertificateArn": certificate}, True)):
        broken = Decider(b.source, {"CdnDomain": "api.example.com", **given}).broken_rules(b.source)
        if (not broken) != allowed:
            yield f"CdnDomain with {given}: broken rules {broken}"
    for case in b.cases:
        for name, distribution in case.of_type("AWS::CloudFront::Distribution").items():
            config, domain = distribution["Properties"]["DistributionConfig"], bool(case.decider.values["CdnDomain"])
            if ("Aliases" in config) != domain or domain and config["ViewerCertificate"].get("MinimumProtocolVersion") != "TLSv1.2_2021":
                yield f"{case.name}: {name} has {text_of(config.get('Aliases'))} with {text_of(config['ViewerCertificate'])}"


@check
def edge_locks_the_origin(b):
    """The secret header, over TLS only; the functions ask for it exactly when there is a CDN."""
    header = {"HeaderName": "x-edge-secret", "HeaderValue": {"Fn::Sub": "{{resolve:secretsmanager:${EdgeSecret}}}"}}
    for name, distribution in b.of_type("AWS::CloudFront::Distribution").items():
        config = distribution["Properties"]["DistributionConfig"]
        (origin,) = config["Origins"]
        if origin.get("OriginCustomHeaders") != [header] or origin["CustomOriginConfig"] != {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}:
            yield f"{name}: the origin is {text_of(origin)}"
        if "EdgeSecretGeneration" not in refs(config.get("Comment", "")):
            yield f"{name}: it would not read a rotated secret"
        if config.get("HttpVersion") != "http2and3" or config.get("WebACLId") != {"Fn::If": ["HasWebAcl", {"Ref": "CdnWebAclArn"}, NO_VALUE]}:
            yield f"{name}: HttpVersion {config.get('HttpVersion')}, WebACLId {text_of(config.get('WebACLId'))}"
    for case in b.cases:
        on, there = case.decider.values.get("Cdn") == "on", case.decider.values.get("Cdn") != "off"
        if there != bool(case.of_type("AWS::CloudFront::Distribution")):
            yield f"{case.name}: the distribution does not follow Cdn"
        for name, function in case.of_type("AWS::Lambda::Function").items():
            if on != ("EDGE_SECRET" in function["Properties"]["Environment"]["Variables"]):
                yield f"{case.name}: {name} {'does not ask' if on else 'asks'} for the secret"
