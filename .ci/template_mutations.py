"""Faults that the checks must catch: F1 to F18 in their old wording, and 46 mutations, each with the check that names it.

A change gets the bundle before it is transformed. It finds what it changes by position (the first function, the first private one),
never by name, so it works on the template of a fork too.
"""
import copy
import re

from template_checks import interfaces
from template_model import NO_VALUE

MUTATIONS = []


def mutation(number, words, check):
    def add(change):
        MUTATIONS.append((number, words, check, change))
        return change

    return add


class NotApplicable(Exception):
    """The template has nothing of the kind that would be changed."""


def first_of(found, what):
    for first in found:
        return first
    raise NotApplicable(f"no {what}")


# ── What is changed ──────────────────────────────────────────────────────────────────────────────────────────────


def first(b):
    return first_of(b.functions, "function")


def private(b):
    return first_of((name for name in b.functions if any("Auth" in event["Properties"] for event in b.events(name).values())), "private route")


def lister(b):
    return first_of((name for name in b.functions if "CURSOR_SECRET" in b.environment(name)), "list")


def of(b, function):
    return b.resources[function]["Properties"]


def table(b):
    return first_of((name for name in b.tables if b.tables[name]["Properties"].get("GlobalSecondaryIndexes")), "table with an index")


def index(b):
    return of(b, table(b))["GlobalSecondaryIndexes"][0]


def statement(b, action):
    """The first statement with an action, and its function."""
    for name in b.functions:
        for policy in b.role(name)[1]["Properties"]["Policies"]:
            for one in policy.get("PolicyDocument", {}).get("Statement", []):
                actions = one["Action"]
                if action in ([actions] if isinstance(actions, str) else actions):
                    return one
    raise NotApplicable(f"no {action}")


def api(b):
    return b.resources["Api"]["Properties"]


def cors(b):
    return api(b)["CorsConfiguration"]["Fn::If"][1]


def variables(b, function):
    return of(b, function)["Environment"]["Variables"]


def alarm(b, **watches):
    """The first alarm with a metric, and that metric."""
    for name, one in b.of_type("AWS::CloudWatch::Alarm").items():
        for metric in one["Properties"].get("Metrics", []):
            if metric.get("MetricStat", {}).get("Metric", {}).items() >= watches.items():
                return one["Properties"], metric["MetricStat"]
    raise NotApplicable(f"no alarm on {watches}")


def described_without(b, function, name):
    """Takes a name out of VersionDescription."""
    text, names = of(b, function)["VersionDescription"]["Fn::Sub"]
    for variable, value in list(names.items()):
        if name in str(value):
            del names[variable]
            text = text.replace("${" + variable + "}", "")
    of(b, function)["VersionDescription"]["Fn::Sub"] = [text.replace("${" + name + "}", ""), names]


def log_also(b, member):
    parts = api(b)["AccessLogSettings"]["Format"]["Fn::Sub"]
    parts[0] = parts[0].replace("${Address}", member + "${Address}")


# ── F1 to F18 ────────────────────────────────────────────────────────────────────────────────────────────────────


@mutation("F1", "AllowOrigins alone is an intrinsic function", "cors-is-an-object")
def _(b):
    api(b)["CorsConfiguration"] = cors(b)


@mutation("F2", "DeletionPolicy: Retain on tables and user pool", "tables-outlive-the-stack-but-not-a-failed-creation")
def _(b):
    for resource in b.resources.values():
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            resource["DeletionPolicy"] = "Retain"


@mutation("F3a", "500 requests a second a route, without reserved concurrency", "throttles-fit-the-concurrency")
def _(b):
    b.parameters["RateLimit"]["Default"] = 500


@mutation("F3b", "no ReservedConcurrentExecutions", "function-globals")
def _(b):
    del b.source["Globals"]["Function"]["ReservedConcurrentExecutions"]


@mutation("F3c", "no OnDemandThroughput", "tables-are-on-demand-bounded-and-recoverable")
def _(b):
    for name in b.tables:
        del of(b, name)["OnDemandThroughput"]
        for one in of(b, name).get("GlobalSecondaryIndexes", []):
            del one["OnDemandThroughput"]


@mutation("F4a", "the table is not in VersionDescription", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, first(b), next(value["Ref"] for name, value in variables(b, first(b)).items() if name.endswith("_TABLE")))


@mutation("F4b", "whole table names in VersionDescription, too long", "version-description-fits")
def _(b):
    for name in b.functions:
        names = of(b, name)["VersionDescription"]["Fn::Sub"][1]
        for variable, value in names.items():
            if value.get("Fn::Select", [0])[0] == 1:
                names[variable] = value["Fn::Select"][1]["Fn::Split"][1]


@mutation("F5", "a case-sensitive user pool", "user-pool")
def _(b):
    del of(b, "UserPool")["UsernameConfiguration"]


@mutation("F6a", "all at once, without alarms", "gradual-deployments-go-back")
def _(b):
    for name in b.functions:
        del of(b, name)["DeploymentPreference"]
    del b.source["Globals"]["Function"]["DeploymentPreference"]


@mutation("F6b", "an alarm on the API stops the deployment: a cycle", "no-dependency-cycle")
def _(b):
    of(b, first(b))["DeploymentPreference"]["Alarms"]["Fn::If"][1].append({"Ref": "FaultsAlarm"})


@mutation("F6c", "versions are deleted when their description changes", "versions-are-published-and-kept")
def _(b):
    for function in b.functions.values():
        del function["UpdateReplacePolicy"]


@mutation("F7a", "nobody is told in prod", "alarms-notify-somebody-in-prod")
def _(b):
    b.source["Rules"] = {name: rule for name, rule in b.source["Rules"].items() if "AlarmEmail" not in str(rule)}


@mutation("F7b", "no alarm for little traffic", "alarms-see-much-and-little-traffic")
def _(b):
    slow = [name for name, one in b.of_type("AWS::CloudWatch::Alarm").items() if "3600" in str(one)]
    for name in slow:
        del b.resources[name]


@mutation("F7c", "no alarm on 429", "alarms-see-much-and-little-traffic")
def _(b):
    for name in list(b.of_type("AWS::Logs::MetricFilter")):
        del b.resources[name]


@mutation("F7d", "an alarm on DynamoDB without FILL", "alarms-watch-metrics-that-exist")
def _(b):
    properties, _ = alarm(b, Namespace="AWS/DynamoDB")
    properties["Metrics"][0]["Expression"] = "SUM(METRICS())"


@mutation("F7e", "an alarm without an action", "alarms-notify-somebody-in-prod")
def _(b):
    del next(iter(b.of_type("AWS::CloudWatch::Alarm").values()))["Properties"]["AlarmActions"]


@mutation("F8", "beta_features", "samconfig-is-ready")
def _(b):
    b.config += "\n[default.global.parameters]\nbeta_features = true\n"


@mutation("F9a", "metrics without the stack", "alarms-watch-metrics-that-exist")
def _(b):
    _, stat = alarm(b, Namespace="LeanRoutes")
    stat["Metric"]["Dimensions"] = [one for one in stat["Metric"]["Dimensions"] if one["Name"] != "stack"]


@mutation("F9b", "functions do not know their stack", "function-globals")
def _(b):
    del b.source["Globals"]["Function"]["Environment"]["Variables"]["STACK_NAME"]


@mutation("F10a", "SRP and refresh only", "user-pool-clients")
def _(b):
    client = of(b, "UserPoolClient")
    client["ExplicitAuthFlows"] = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@mutation("F10b", "people can sign in through the services' client", "user-pool-clients")
def _(b):
    del of(b, "ServiceClient")["ExplicitAuthFlows"]


@mutation("F10c", "no next command", "outputs-say-the-next-command")
def _(b):
    b.source["Outputs"] = {name: output for name, output in b.source["Outputs"].items() if not name.startswith("Next")}


@mutation("F11a", "no deletion protection", "tables-are-on-demand-bounded-and-recoverable")
def _(b):
    del of(b, table(b))["DeletionProtectionEnabled"]


@mutation("F11b", "deletion protection from the first deployment on", "deletion-protection-is-off-first")
def _(b):
    b.parameters["DeletionProtection"]["Default"] = "on"


@mutation("F12", "SAM makes the role, with logs on *", "roles-are-own-and-exact")
def _(b):
    del of(b, first(b))["Role"]
    del b.resources[first(b) + "Role"]


@mutation("F13", "AllowedOrigins takes anything", "origins-are-origins")
def _(b):
    del b.parameters["AllowedOrigins"]["AllowedPattern"]


@mutation("F14a", "the second secret depends on the generation", "second-secrets-are-chosen-by-a-parameter-of-their-own")
def _(b):
    b.source["Conditions"]["HasSecondCursorSecret"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CursorSecretGeneration"}, 1]}]}


@mutation("F14b", "a rotation does not change the function", "generations-are-in-the-description")
def _(b):
    of(b, lister(b))["Description"] = "a list"


@mutation("F15", "free text in the access log", "access-log-is-json-and-has-no-secrets")
def _(b):
    log_also(b, ',"error":"$context.error.message"')


@mutation("F16", "the scope is taken apart", "scope-needs-no-taking-apart")
def _(b):
    of(b, "UserPoolResourceServer")["Identifier"] = {"Fn::Select": [0, {"Fn::Split": ["/", {"Ref": "ReadAnyScope"}]}]}


@mutation("F17a", "www-authenticate is not exposed", "cors-headers")
def _(b):
    cors(b)["ExposeHeaders"].remove("www-authenticate")


@mutation("F17b", "if-match is not allowed", "cors-headers")
def _(b):
    cors(b)["AllowHeaders"].remove("if-match")


@mutation("F18a", "logs are kept for two years at most", "log-groups")
def _(b):
    b.parameters["LogRetentionDays"]["AllowedValues"] = [30, 731]


@mutation("F18b", "an output without a description", "outputs-say-the-next-command")
def _(b):
    del b.source["Outputs"]["ApiUrl"]["Description"]


@mutation("F18c", "no place for the region, one folder for the artefacts of all", "samconfig-is-ready")
def _(b):
    b.config = "\n".join(line for line in b.config.split("\n") if "region" not in line and "s3_prefix" not in line)


# ── 1 to 46 ──────────────────────────────────────────────────────────────────────────────────────────────────────


@mutation(1, "dynamodb:*", "roles-are-own-and-exact")
def _(b):
    statement(b, "dynamodb:Query")["Action"] = "dynamodb:*"


@mutation(2, "dynamodb:Scan too", "roles-are-own-and-exact")
def _(b):
    statement(b, "dynamodb:Query")["Action"] = ["dynamodb:Query", "dynamodb:Scan"]


@mutation(3, "a managed policy", "roles-are-own-and-exact")
def _(b):
    b.role(first(b))[1]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]


@mutation(4, "a private route without its authorizer", "routes-are-the-published-ones")
def _(b):
    del next(event for event in b.events(private(b)).values() if event["Properties"]["Method"] == "GET")["Properties"]["Auth"]


@mutation(5, "dynamodb:Attributes dropped", "reads-name-their-attributes")
def _(b):
    del statement(b, "dynamodb:GetItem")["Condition"]["ForAllValues:StringEquals"]


@mutation("6a", "dynamodb:Select dropped", "reads-name-their-attributes")
def _(b):
    del statement(b, "dynamodb:Query")["Condition"]["StringEquals"]


@mutation("6b", "dynamodb:Select only if it is there", "reads-name-their-attributes")
def _(b):
    condition = statement(b, "dynamodb:Query")["Condition"]
    condition["StringEqualsIfExists"] = condition.pop("StringEquals")


@mutation(7, "a hidden attribute is allowed", "reads-name-their-attributes")
def _(b):
    statement(b, "dynamodb:GetItem")["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"].append("aHiddenAttribute")


@mutation(8, "index/*", "statements-name-exact-tables-and-indexes")
def _(b):
    statement(b, "dynamodb:Query")["Resource"] = [{"Fn::Sub": "${" + table(b) + ".Arn}/index/*"}]


@mutation(9, "an index removed", "statements-name-exact-tables-and-indexes")
def _(b):
    del of(b, table(b))["GlobalSecondaryIndexes"][0]


@mutation(10, "HEAD dropped", "events-are-routes-of-the-api")
def _(b):
    events = b.events(first(b))
    del events[next(name for name, event in events.items() if event["Properties"]["Method"] == "HEAD")]


@mutation(11, "a variable renamed", "environment-names")
def _(b):
    name = next(name for name in variables(b, first(b)) if name.endswith("_TABLE"))
    variables(b, first(b))["X" + name] = variables(b, first(b)).pop(name)


@mutation(12, "the order of the sort keys swapped", "table-keys-have-the-types-of-the-model")
def _(b):
    keys = index(b)["KeySchema"]
    keys[-1], keys[-2] = keys[-2], keys[-1]


@mutation(13, "the function may read secrets", "roles-are-own-and-exact")
def _(b):
    document = b.role(first(b))[1]["Properties"]["Policies"][0]["PolicyDocument"]
    document["Statement"].append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})


@mutation(14, "RetentionInDays dropped", "log-groups")
def _(b):
    del of(b, first(b) + "Logs")["RetentionInDays"]


@mutation(15, "LoggingConfig dropped", "log-groups")
def _(b):
    del of(b, first(b))["LoggingConfig"]


@mutation(16, "an alarm on a function that does not exist", "alarms-watch-metrics-that-exist")
def _(b):
    _, stat = alarm(b, Namespace="AWS/Lambda")
    stat["Metric"]["Dimensions"][0]["Value"] = "get-things"


@mutation("17a", "the throttles of a function are forgotten", "alarms-cover-every-function-table-and-index")
def _(b):
    properties, stat = alarm(b, Namespace="AWS/Lambda", MetricName="Throttles")
    properties["Metrics"] = [one for one in properties["Metrics"] if one.get("MetricStat") != stat]


@mutation("17b", "the crashes of a function are forgotten", "alarms-cover-every-function-table-and-index")
def _(b):
    del b.resources[first(b) + "Crashes"]
    of(b, first(b))["DeploymentPreference"]["Alarms"]["Fn::If"][1].pop()


@mutation("17c", "the dashboard forgets a function", "dashboard")
def _(b):
    (board,) = b.of_type("AWS::CloudWatch::Dashboard").values()
    body = board["Properties"]["DashboardBody"]
    body["Fn::Sub"] = "\n".join(line for line in body["Fn::Sub"].split("\n") if "${" + first(b) + "}" not in line)


@mutation(18, "throttles dropped", "api-settings")
def _(b):
    api(b)["DefaultRouteSettings"] = {"DetailedMetricsEnabled": False}


@mutation(19, "100,000 requests a second for one route", "api-settings")
def _(b):
    event = next(iter(b.events(first(b)).values()))["Properties"]
    api(b)["RouteSettings"] = {f"{event['Method']} {event['Path']}": {"ThrottlingRateLimit": 100000, "ThrottlingBurstLimit": 100000}}


@mutation(20, "DeletionPolicy dropped from a table", "tables-outlive-the-stack-but-not-a-failed-creation")
def _(b):
    del b.resources[table(b)]["DeletionPolicy"]


@mutation(21, "no point-in-time recovery", "tables-are-on-demand-bounded-and-recoverable")
def _(b):
    of(b, table(b))["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = False


@mutation(22, "Timeout 3", "function-globals")
def _(b):
    b.source["Globals"]["Function"]["Timeout"] = 3


@mutation(23, "etag is not exposed", "cors-headers")
def _(b):
    cors(b)["ExposeHeaders"].remove("etag")


@mutation(24, "AllowOrigins *", "cors-headers")
def _(b):
    cors(b)["AllowOrigins"] = ["*"]


@mutation(25, "the cursor secret is a literal", "environment-values")
def _(b):
    variables(b, lister(b))["CURSOR_SECRET"] = "a literal secret of more than 32 characters"


@mutation(26, "the second cursor secret is the first", "environment-values")
def _(b):
    variables(b, lister(b))["CURSOR_SECRET_PREVIOUS"] = variables(b, lister(b))["CURSOR_SECRET"]


@mutation(27, "any audience", "api-authorizer")
def _(b):
    api(b)["Auth"]["Authorizers"]["Jwt"]["JwtConfiguration"]["audience"] = ["anything"]


@mutation(28, "the token from the query string", "api-authorizer")
def _(b):
    api(b)["Auth"]["Authorizers"]["Jwt"]["IdentitySource"] = "$request.querystring.token"


@mutation(29, "AuthorizationScopes on a route", "events-are-routes-of-the-api")
def _(b):
    next(iter(b.events(private(b)).values()))["Properties"]["Auth"]["AuthorizationScopes"] = ["x/y"]


@mutation("30a", "people can sign up by themselves", "user-pool")
def _(b):
    of(b, "UserPool")["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] = False


@mutation("30b", "sign-in with a plain password", "user-pool-clients")
def _(b):
    of(b, "UserPoolClient")["ExplicitAuthFlows"].append("ALLOW_USER_PASSWORD_AUTH")


@mutation(31, "AutoPublishAlias dropped", "function-globals")
def _(b):
    # SAM refuses a deployment preference without an alias, so both go.
    del b.source["Globals"]["Function"]["AutoPublishAlias"]
    del b.source["Globals"]["Function"]["DeploymentPreference"]
    for name in b.functions:
        del of(b, name)["DeploymentPreference"]


@mutation(32, "the cursor secret is not in VersionDescription", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, lister(b), "CursorSecretGeneration")


@mutation("33a", "the path in the access log", "access-log-is-json-and-has-no-secrets")
def _(b):
    log_also(b, ',"path":"$context.path"')


@mutation("33b", "addresses in the access log, always", "access-log-is-json-and-has-no-secrets")
def _(b):
    names = api(b)["AccessLogSettings"]["Format"]["Fn::Sub"][1]
    names["Address"] = names["Address"]["Fn::If"][1]


@mutation(34, "AccessLogSettings dropped", "api-settings")
def _(b):
    del api(b)["AccessLogSettings"]


@mutation(35, "an administrator's role", "roles-are-own-and-exact")
def _(b):
    of(b, first(b))["Role"] = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/administrator"}


@mutation(36, "a function URL without authorization", "function-properties")
def _(b):
    of(b, first(b))["FunctionUrlConfig"] = {"AuthType": "NONE"}


@mutation(37, "a REST API beside it, without authorizer", "events-are-routes-of-the-api")
def _(b):
    event = next(iter(b.events(private(b)).values()))
    b.events(private(b))["Rest"] = {"Type": "Api", "Properties": {"Method": "GET", "Path": event["Properties"]["Path"]}}


@mutation("38a", "ApiId dropped: an API that nobody wrote", "events-are-routes-of-the-api")
def _(b):
    del next(iter(b.events(first(b)).values()))["Properties"]["ApiId"]


@mutation("38b", "the same, seen in the result", "no-resource-is-implicit")
def _(b):
    del next(iter(b.events(first(b)).values()))["Properties"]["ApiId"]


@mutation("39a", "a named stage", "api-settings")
def _(b):
    api(b)["StageName"] = "prod"


@mutation("39b", "warnings do not fail", "api-settings")
def _(b):
    api(b)["FailOnWarnings"] = False


@mutation("40a", "5XXError in place of 5xx", "alarms-watch-metrics-that-exist")
def _(b):
    alarm(b, MetricName="5xx")[1]["Metric"]["MetricName"] = "5XXError"


@mutation("40b", "ApiName in place of ApiId", "alarms-watch-metrics-that-exist")
def _(b):
    alarm(b, MetricName="5xx")[1]["Metric"]["Dimensions"][0]["Name"] = "ApiName"


@mutation(41, "provisioned throughput of 1", "tables-are-on-demand-bounded-and-recoverable")
def _(b):
    of(b, table(b)).update(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})


@mutation(42, "a number as a string", "table-keys-have-the-types-of-the-model")
def _(b):
    for name in b.tables:
        for definition in of(b, name)["AttributeDefinitions"]:
            if definition["AttributeType"] == "N":
                definition["AttributeType"] = "S"


@mutation(43, "CodeUri of another crate", "function-code")
def _(b):
    one, other = list(b.functions)[:2]
    of(b, one)["CodeUri"] = of(b, other)["CodeUri"]


@mutation(44, "Runtime provided.al2", "function-globals")
def _(b):
    b.source["Globals"]["Function"]["Runtime"] = "provided.al2"


@mutation("45a", "LOG_LEVEL is a literal", "environment-values")
def _(b):
    b.source["Globals"]["Function"]["Environment"]["Variables"]["LOG_LEVEL"] = "info"


@mutation("45b", "layers", "function-properties")
def _(b):
    of(b, first(b))["Layers"] = ["arn:aws:lambda:eu-central-1:123456789012:layer:x:1"]


@mutation(46, "CORS is lost in the transform", "cors-is-an-object")
def _(b):
    api(b)["CorsConfiguration"] = {"AllowOrigins": {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}}


# ── Quotas of callers ────────────────────────────────────────────────────────────────────────────────────────────────


@mutation("Q1", "counters are never forgotten", "quotas-are-counted")
def _(b):
    del of(b, "LimitsTable")["TimeToLiveSpecification"]


@mutation("Q2", "the window is not in the key", "quotas-are-counted")
def _(b):
    of(b, "LimitsTable")["KeySchema"].pop()
    of(b, "LimitsTable")["AttributeDefinitions"].pop()


@mutation("Q3", "writes of counters have no bound", "quotas-are-counted")
def _(b):
    del of(b, "LimitsTable")["OnDemandThroughput"]


@mutation("Q4", "counters outlive the stack", "quotas-are-counted")
def _(b):
    b.resources["LimitsTable"]["DeletionPolicy"] = "Retain"


@mutation("Q5", "nobody hears of requests that are not counted", "quotas-are-counted")
def _(b):
    del b.resources["QuotaAlarm"]


@mutation("Q6", "the write may name any attribute", "writes-are-those-of-the-counters")
def _(b):
    del statement(b, "dynamodb:UpdateItem")["Condition"]["ForAllValues:StringEquals"]


@mutation("Q7", "the write may be told the whole item", "writes-are-those-of-the-counters")
def _(b):
    del statement(b, "dynamodb:UpdateItem")["Condition"]["StringEquals"]


@mutation("Q8", "the write is allowed on a table of data", "writes-are-those-of-the-counters")
def _(b):
    statement(b, "dynamodb:UpdateItem")["Resource"] = {"Fn::GetAtt": [table(b), "Arn"]}


@mutation("Q9", "PutItem too", "writes-are-those-of-the-counters")
def _(b):
    statement(b, "dynamodb:UpdateItem")["Action"] = ["dynamodb:UpdateItem", "dynamodb:PutItem"]


@mutation("Q10", "counters can be read", "writes-are-those-of-the-counters")
def _(b):
    statement(b, "dynamodb:GetItem")["Resource"] = {"Fn::GetAtt": ["LimitsTable", "Arn"]}


@mutation("Q11", "a private route without a quota", "writes-are-those-of-the-counters")
def _(b):
    del variables(b, private(b))["LIMITS_TABLE"]


@mutation("Q12", "the quota is a literal", "environment-values")
def _(b):
    variables(b, private(b))["CALLER_LIMIT"] = "600;w=60"


@mutation("Q13", "the quota is not in VersionDescription", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, private(b), "CallerQuota")


@mutation("Q14", "ratelimit is not exposed", "cors-headers")
def _(b):
    cors(b)["ExposeHeaders"].remove("ratelimit")


# ── The cache tier ───────────────────────────────────────────────────────────────────────────────────────────────────


def user(b):
    """The first function with a cache."""
    return first_of((name for name in b.functions if "CACHE_URL" in b.environment(name)), "function with a cache")


def other(b):
    return first_of((name for name in b.functions if "CACHE_URL" not in b.environment(name)), "function without a cache")


def network(b, function):
    """The statements for the network interfaces of a function."""
    policies = b.role(function)[1]["Properties"]["Policies"]
    return next(one["Fn::If"][1] for one in policies if one.get("Fn::If", [None])[0] == "HasCache")["PolicyDocument"]["Statement"]


@mutation("C1", "a cache by default", "cache-follows-its-parameter")
def _(b):
    b.parameters["CacheTier"]["Default"] = "valkey"


@mutation("C2", "a cache whatever the parameter says", "cache-follows-its-parameter")
def _(b):
    b.source["Conditions"]["HasCache"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CacheTier"}, ""]}]}


@mutation("C3", "a function that has no use for it is in the network", "cache-follows-its-parameter")
def _(b):
    of(b, other(b))["VpcConfig"] = copy.deepcopy(of(b, user(b))["VpcConfig"])


@mutation("C4", "the address without the network", "cache-follows-its-parameter")
def _(b):
    del of(b, user(b))["VpcConfig"]


@mutation("C5", "a network without a cache", "function-properties")
def _(b):
    del variables(b, user(b))["CACHE_URL"]


@mutation("C6", "the functions are in another group", "cache-follows-its-parameter")
def _(b):
    of(b, user(b))["VpcConfig"]["Fn::If"][1]["SecurityGroupIds"] = ["sg-0123456789abcdef0"]


@mutation("C7", "valkey without a network is accepted", "cache-needs-a-network")
def _(b):
    del b.source["Rules"]["CacheWithNetwork"]


@mutation("C8", "route tables without their VPC are accepted", "cache-needs-a-network")
def _(b):
    del b.source["Rules"]["RouteTablesWithVpc"]


@mutation("C9", "one subnet is accepted", "cache-needs-a-network")
def _(b):
    b.parameters["CacheSubnetIds"]["AllowedPattern"] = "^$|^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*$"


@mutation("C10", "no bound on units", "cache-is-bounded-and-closed")
def _(b):
    del of(b, "Cache")["CacheUsageLimits"]["ECPUPerSecond"]


@mutation("C11", "no bound on data", "cache-is-bounded-and-closed")
def _(b):
    of(b, "Cache")["CacheUsageLimits"]["DataStorage"]["Maximum"] = 5000


@mutation("C12", "no user group: everybody in the VPC may use it", "cache-is-bounded-and-closed")
def _(b):
    del of(b, "Cache")["UserGroupId"]


@mutation("C13", "any command on any key", "cache-is-bounded-and-closed")
def _(b):
    of(b, "CacheUser")["AccessString"] = "on ~* +@all"


@mutation("C14", "no password", "cache-is-bounded-and-closed")
def _(b):
    of(b, "CacheUser")["AuthenticationMode"] = {"Type": "no-password-required"}


@mutation("C15", "the password is a literal", "cache-is-bounded-and-closed")
def _(b):
    of(b, "CacheUser")["AuthenticationMode"]["Passwords"] = ["a literal password of more than 16 characters"]


@mutation("C16", "the password has punctuation, which a URL takes apart", "cache-is-bounded-and-closed")
def _(b):
    del of(b, "CacheSecret")["GenerateSecretString"]["ExcludePunctuation"]


@mutation("C17", "the address is not encrypted", "environment-values")
def _(b):
    url = variables(b, user(b))["CACHE_URL"]["Fn::If"][1]
    url["Fn::Sub"] = url["Fn::Sub"].replace("rediss:", "redis:")


@mutation("C18", "a new secret does not change the function", "generations-are-in-the-description")
def _(b):
    text = of(b, user(b))["Description"]
    text["Fn::Sub"] = text["Fn::Sub"].replace("${CacheGeneration}", "")


@mutation("C19", "a new cache does not move the alias", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, user(b), "CacheGeneration")


@mutation("C20", "a cache that is turned on does not move the alias", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, user(b), "CacheTier")


@mutation("C21", "the code may make network interfaces", "roles-are-own-and-exact")
def _(b):
    network(b, user(b)).pop()


@mutation("C22", "Lambda may not make network interfaces", "roles-are-own-and-exact")
def _(b):
    network(b, user(b)).pop(0)


@mutation("C23", "ec2:* for all", "roles-are-own-and-exact")
def _(b):
    network(b, user(b))[0]["Action"] = "ec2:*"


@mutation("C24", "network interfaces for a function without a cache", "roles-are-own-and-exact")
def _(b):
    b.role(other(b))[1]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(network(b, user(b))[0])


@mutation("C25", "nobody hears of a cache that does not answer", "cache-is-watched")
def _(b):
    del b.resources["CacheAlarm"]


@mutation("C26", "an alarm on a cache that is not there", "references-exist")
def _(b):
    del b.resources["CacheThrottles"]["Condition"]


@mutation("C27", "nobody hears that the bound is reached", "cache-is-watched")
def _(b):
    del b.resources["CacheThrottles"]


@mutation("C28", "functions enter the network before the way to DynamoDB is there", "cache-is-bounded-and-closed")
def _(b):
    del of(b, "Cache")["Description"]


@mutation("C29", "a way to another service", "cache-is-bounded-and-closed")
def _(b):
    of(b, "DynamoDbEndpoint")["ServiceName"] = {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}


@mutation("C30", "a network whatever the parameter says", "cache-follows-its-parameter")
def _(b):
    of(b, user(b))["VpcConfig"] = copy.deepcopy(of(b, user(b))["VpcConfig"]["Fn::If"][1])


@mutation("C31", "the secret outlives the stack", "policies-are-explicit")
def _(b):
    del b.resources["CacheSecret"]["DeletionPolicy"]


# ── GraphQL, if it is there ──────────────────────────────────────────────────────────────────────────────────────────


def graphql(b):
    return first_of(interfaces(b), "interface")


def of_event(b, private, method):
    return next(event["Properties"] for event in b.events(graphql(b)).values() if ("Auth" in event["Properties"], event["Properties"]["Method"]) == (private, method))


@mutation("G1", "the private path has no authorizer", "interfaces-are-two-paths")
def _(b):
    del of_event(b, True, "POST")["Auth"]


@mutation("G2", "there is only one path", "interfaces-are-two-paths")
def _(b):
    for name in [name for name, event in b.events(graphql(b)).items() if "Auth" not in event["Properties"]]:
        del b.events(graphql(b))[name]


@mutation("G3", "introspection whatever the stage", "environment-values")
def _(b):
    variables(b, graphql(b))["GRAPHQL_INTROSPECTION"] = "on"


@mutation("G4", "any document, whatever the parameter says", "environment-values")
def _(b):
    variables(b, graphql(b))["GRAPHQL_DOCUMENTS"] = "any"


@mutation("G5", "another choice of documents publishes no version", "version-description-names-all-that-a-version-depends-on")
def _(b):
    described_without(b, graphql(b), "GraphqlDocuments")


@mutation("G6", "browsers may not post", "cors-headers")
def _(b):
    graphql(b)
    cors(b)["AllowMethods"].remove("POST")


@mutation("G7", "browsers may not say that a body is JSON", "cors-headers")
def _(b):
    graphql(b)
    cors(b)["AllowHeaders"].remove("content-type")


@mutation("G8", "one kept answer for all values of Accept", "edge-keeps-what-the-origin-allows")
def _(b):
    of(b, first_of((name for name in ("GraphqlAnswers",) if name in b.resources), "policy of its own"))["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"] = {"HeaderBehavior": "none"}


@mutation("G9", "the CDN refuses POST", "edge-keeps-only-public-answers")
def _(b):
    path = of_event(b, False, "POST")["Path"]
    next(one for one in distribution(b)["CacheBehaviors"] if one["PathPattern"] == path)["AllowedMethods"] = ["GET", "HEAD", "OPTIONS"]


@mutation("G10", "answers to callers are kept", "edge-keeps-only-public-answers")
def _(b):
    path = of_event(b, True, "GET")["Path"]
    behaviour = next(one for one in distribution(b)["CacheBehaviors"] if one["PathPattern"] == of_event(b, False, "GET")["Path"])
    distribution(b)["CacheBehaviors"].append({**copy.deepcopy(behaviour), "PathPattern": path})


# ── The edge ─────────────────────────────────────────────────────────────────────────────────────────────────────


def distribution(b):
    return of(b, "Distribution")["DistributionConfig"]


def path_of(b, function):
    return next(iter(b.events(function).values()))["Properties"]["Path"]


@mutation("E1", "MinTTL 1: private answers are kept", "edge-keeps-what-the-origin-allows")
def _(b):
    of(b, "PublicAnswers")["CachePolicyConfig"]["MinTTL"] = 1


@mutation("E2", "a private route is kept", "edge-keeps-only-public-answers")
def _(b):
    behaviour = copy.deepcopy(distribution(b)["CacheBehaviors"][0])
    distribution(b)["CacheBehaviors"].append({**behaviour, "PathPattern": re.sub(r"\{[^}]*\}", "*", path_of(b, private(b)))})


@mutation("E3", "a public route is not kept", "edge-keeps-only-public-answers")
def _(b):
    distribution(b)["CacheBehaviors"].clear()


@mutation("E4", "Host is forwarded", "edge-keeps-only-public-answers")
def _(b):
    distribution(b)["DefaultCacheBehavior"]["OriginRequestPolicyId"] = "216adef6-5c7f-47e4-b989-5492eafa07d3"


@mutation("E5", "errors are kept for 10 s", "edge-keeps-what-the-origin-allows")
def _(b):
    del distribution(b)["CustomErrorResponses"]


@mutation("E6", "the origin is open", "edge-locks-the-origin")
def _(b):
    distribution(b)["Origins"][0]["OriginCustomHeaders"] = []


@mutation("E7", "the functions do not ask for the secret", "edge-locks-the-origin")
def _(b):
    b.source["Globals"]["Function"]["Environment"]["Variables"]["EDGE_SECRET"] = NO_VALUE


# ── What was missing (M1 to M12), as far as no number above stands for it ────────────────────────────────────────


@mutation("M2", "a domain without a certificate", "edge-domain-has-a-certificate")
def _(b):
    del b.source["Rules"]["DomainWithCdn"]


@mutation("M11a", "a key of AWS in the workflow", "pipeline-deploys-without-keys-and-tries-the-stack")
def _(b):
    b.workflows["deploy-to"] += "        env: {AWS_SECRET_ACCESS_KEY: '${{ secrets.AWS_SECRET_ACCESS_KEY }}'}\n"


@mutation("M11b", "no smoke test after a deployment", "pipeline-deploys-without-keys-and-tries-the-stack")
def _(b):
    b.workflows["deploy-to"] = b.workflows["deploy-to"].replace(".github/smoke", "true")


@mutation("M11c", "prod beside dev", "pipeline-deploys-without-keys-and-tries-the-stack")
def _(b):
    b.workflows["deploy"] = b.workflows["deploy"].replace("    needs: dev\n", "")


@mutation("M12", "a parameter that the page does not count", "deploy-page-is-true")
def _(b):
    b.parameters["Another"] = {"Type": "String", "Default": "", "Description": "Another"}


# ── What cfn-guard must find, too, in what SAM makes of it ───────────────────────────────────────────────────────

GUARDED = {
    "F2": "tables_are_kept_and_bounded", "F3c": "tables_are_kept_and_bounded", "F5": "only_administrators_add_users", "1": "roles_have_no_wildcards",
    "13": "roles_have_no_wildcards", "14": "logs_end", "18": "stages_are_throttled_and_logged", "19": "stages_are_throttled_and_logged",
    "21": "CT.DYNAMODB.PR.1", "30a": "only_administrators_add_users", "34": "CT.APIGATEWAY.PR.4", "36": "functions_are_plain",
    "44": "functions_are_plain", "45b": "functions_are_plain", "E6": "the_edge_is_tls_only", "C10": "caches_are_bounded_and_closed", "C13": "caches_are_bounded_and_closed", "C23": "roles_have_no_wildcards",
    "C30": "only_a_cache_needs_a_network",
}
