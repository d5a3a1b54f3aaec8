//! The environment of a function, variable by variable: the endpoint that it calls, or the error
//! line if it does not start.
//!
//! `aws-config` reads the process's own environment, so each row of the table runs this test
//! program again, as a child with that environment.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{env, fs, process::Command};

use api::{Access, Client, Config, Field, Kind, Policy, Quota, Resource, Route, Shape, Table};
use aws_sdk_dynamodb::config::Builder;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

/// Prints each request's address and the scope of its signature, and sends nothing.
#[derive(Debug, Clone)]
struct Recorder;

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        for name in ["amz-sdk-invocation-id", "amz-sdk-request"] {
            assert_eq!(request.headers().get(name), None, "DynamoDB ignores {name}");
        }
        let scope = request
            .headers()
            .get("authorization")
            .and_then(|header| header.split(['=', ',']).nth(1))
            .unwrap_or("nothing");
        let scope: Vec<_> =
            scope.split('/').enumerate().filter(|(i, _)| *i != 1).map(|(_, part)| part).collect();
        println!("child: asks {} as {}", request.uri(), scope[..2].join(" in "));
        HttpConnectorFuture::ready(Err(ConnectorError::user("not sent".into())))
    }
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// The child process. It is not a test by itself, so it does nothing unless a row of the table runs
/// it.
#[tokio::test]
async fn child() {
    if env::var_os("ENVIRONMENT_TEST_CHILD").is_none() {
        return;
    }
    match Client::from_environment().await {
        Err(error) => println!("child: {error}"),
        Ok(client) => {
            let call = client
                .sdk()
                .list_tables()
                .customize()
                .config_override(Builder::new().http_client(Recorder));
            call.send().await.unwrap_err();
        }
    }
}

/// Runs the child in exactly this environment and returns the line that it prints.
fn child_in(variables: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env_clear()
        .env("ENVIRONMENT_TEST_CHILD", "1")
        // No instance metadata: a build with the whole chain would look for it.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.split("child: ").nth(1).and_then(|rest| rest.lines().next());
    line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKID"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

/// Returns the child's line with a region, keys and these variables.
fn with(variables: &[(&str, &str)]) -> String {
    child_in(&[&KEYS, variables].concat())
}

#[test]
fn endpoints_are_found_as_the_sdks_find_them() {
    const ALL: (&str, &str) = ("AWS_ENDPOINT_URL", "http://all.example:1");
    const ONE: (&str, &str) = ("AWS_ENDPOINT_URL_DYNAMODB", "http://one.example:2/base");
    const IGNORE: (&str, &str) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    for (variables, endpoint) in [
        (vec![], "https://dynamodb.eu-central-1.amazonaws.com/"),
        (vec![ALL], "http://all.example:1/"),
        (vec![ONE], "http://one.example:2/base/"),
        (vec![ALL, ONE], "http://one.example:2/base/"),
        (vec![ALL, ONE, IGNORE], "https://dynamodb.eu-central-1.amazonaws.com/"),
        (vec![FIPS], "https://dynamodb-fips.eu-central-1.amazonaws.com/"),
        (vec![DUAL], "https://dynamodb.eu-central-1.api.aws/"),
        (vec![FIPS, DUAL], "https://dynamodb-fips.eu-central-1.api.aws/"),
        (vec![ALL, IGNORE, FIPS], "https://dynamodb-fips.eu-central-1.amazonaws.com/"),
        (vec![("AWS_REGION", "cn-north-1")], "https://dynamodb.cn-north-1.amazonaws.com.cn/"),
        (vec![("AWS_REGION", "us-gov-west-1")], "https://dynamodb.us-gov-west-1.amazonaws.com/"),
    ] {
        let region = variables
            .iter()
            .find(|(name, _)| *name == "AWS_REGION")
            .map_or("eu-central-1", |(_, region)| region);
        assert_eq!(
            with(&variables),
            format!("asks {endpoint} as AKID in {region}"),
            "{variables:?}"
        );
    }
}

#[test]
fn a_wrong_value_ends_the_start() {
    const URL: &str = "must be a URL like https://host or http://host:port";
    const FLAG: &str = "must be true or false";
    for (variable, value, reason) in [
        ("AWS_ENDPOINT_URL", "localhost:8000", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "ftp://localhost", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://a b", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:99999", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:0", URL),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000/?x=1", URL),
        ("AWS_USE_FIPS_ENDPOINT", "yes", FLAG),
        ("AWS_USE_DUALSTACK_ENDPOINT", "1", FLAG),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "y", FLAG),
        ("AWS_REGION", "Frankfurt", "must be the name of a region like eu-central-1"),
        ("AWS_REGION", "eu-central-1/x", "must be the name of a region like eu-central-1"),
        ("AWS_REGION", "eu-central-1 ", "must be the name of a region like eu-central-1"),
    ] {
        assert_eq!(with(&[(variable, value)]), format!("does not start: {variable} {reason}"));
    }
    assert_eq!(
        with(&[("AWS_ENDPOINT_URL", "http://all.example:1"), ("AWS_USE_FIPS_ENDPOINT", "true")]),
        "does not start: AWS_ENDPOINT_URL cannot be combined with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT: they choose an endpoint \
         of the region"
    );
}

#[test]
fn a_bundle_of_certificates_replaces_the_built_in_roots() {
    let folder = env::temp_dir().join(format!("api-environment-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let written = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = written("good.pem", include_bytes!("../src/roots.pem"));
    assert_eq!(
        with(&[("AWS_CA_BUNDLE", &good)]),
        "asks https://dynamodb.eu-central-1.amazonaws.com/ as AKID in eu-central-1"
    );
    for (name, content) in [
        ("empty.pem", b"".as_slice()),
        ("text.pem", b"no certificate"),
        ("cut.pem", b"-----BEGIN CERTIFICATE-----\nAAAA"),
        ("short.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        let path = written(name, content);
        assert_eq!(
            with(&[("AWS_CA_BUNDLE", &path)]),
            format!("does not start: AWS_CA_BUNDLE {path}: no PEM file of certificates")
        );
    }
    let line = with(&[("AWS_CA_BUNDLE", "no/such/file.pem")]);
    assert!(
        line.starts_with("does not start: AWS_CA_BUNDLE no/such/file.pem: No such file"),
        "{line}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(not(feature = "credential-chain"))]
#[test]
fn what_is_missing_is_named_all_at_once() {
    assert_eq!(
        child_in(&[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "secret")]),
        "does not start: AWS_REGION is not set; AWS_ACCESS_KEY_ID is not set"
    );
    assert_eq!(
        child_in(&[("AWS_USE_FIPS_ENDPOINT", "on")]),
        "does not start: AWS_USE_FIPS_ENDPOINT must be true or false; AWS_REGION is not set; AWS_ACCESS_KEY_ID is not set; \
         AWS_SECRET_ACCESS_KEY is not set"
    );
}

/// A deployed function reads only these variables: a profile on the machine has no effect.
#[test]
fn profiles_are_for_local_builds_alone() {
    let folder = env::temp_dir().join(format!("api-profiles-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("config");
    let text = "[profile team]\nregion = eu-west-3\naws_access_key_id = PROFILEKEY\naws_secret_access_key = x\n";
    fs::write(&config, text).unwrap();
    let line = child_in(&[("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_PROFILE", "team")]);
    let expected = if cfg!(feature = "credential-chain") {
        "asks https://dynamodb.eu-west-3.amazonaws.com/ as PROFILEKEY in eu-west-3"
    } else {
        "does not start: AWS_REGION is not set; AWS_ACCESS_KEY_ID is not set; AWS_SECRET_ACCESS_KEY is not set"
    };
    assert_eq!(line, expected);
    fs::remove_dir_all(folder).unwrap();
}

const fn resource(policy: Policy) -> Resource {
    Resource {
        name: "things",
        table_variable: "THINGS_TABLE",
        table: Table { key: &["thingId"], indexes: &[] },
        fixed: &[],
        fields: &[Field { name: "thingId", kind: Kind::Text, about: "" }],
        summary: &["thingId"],
        modified: None,
        policy,
    }
}

static PUBLIC: Resource = resource(Policy::PUBLIC_READ_MOSTLY);
static PRIVATE: Resource = resource(Policy::PrivateRevalidate);
static GET_PUBLIC: Route = route(&PUBLIC);
static GET_PRIVATE: Route = route(&PRIVATE);

const fn route(resource: &'static Resource) -> Route {
    Route {
        name: "get-thing",
        path: "/v1/things/{thingId}",
        about: "",
        resource,
        access: Access::Public,
        quota: Quota::None,
        shape: Shape::One,
    }
}

/// The line names the variable and what is valid, and never shows the value, which may have a
/// password. A function that reads nothing public has no use for the address.
#[test]
fn the_address_of_the_cache_is_read_or_ends_the_start() {
    let read = |route: &'static Route, url: &str| {
        Config::read(route, |name| match name {
            "THINGS_TABLE" => Some("things".to_owned()),
            "CACHE_URL" => Some(url.to_owned()),
            _ => None,
        })
        .map(|config| {
            assert!(!format!("{config:?}").contains("s3cret"));
            config.cache.is_some()
        })
        .map_err(|error| error.to_string())
    };
    for (url, expected) in [
        ("", false),
        ("redis://cache.example", true),
        ("rediss://cache.example:6379", true),
        ("redis://:s3cret@cache.example:6379/1", true),
        ("rediss://user:s3cret@cache.example", true),
    ] {
        assert_eq!(read(&GET_PUBLIC, url), Ok(expected), "{url}");
        assert_eq!(read(&GET_PRIVATE, url), Ok(false), "{url}");
    }
    const VALID: &str = "does not start: CACHE_URL must be a URL like rediss://host:6379 or \
        redis://user:password@host:6379/0, with a percent-encoded password";
    for url in [
        "s3cret",
        "cache.example:6379",
        "http://user:s3cret@cache.example",
        "rediss://user:s3cret@cache.example#insecure",
        "redis://user:s3cret@cache.example/x",
        "redis://user:s3cret@cache.example:0",
        "redis://user:s3 cret@cache.example",
        "redis://s3cret@cache.example",
    ] {
        assert_eq!(read(&GET_PUBLIC, url), Err(VALID.to_owned()), "{url}");
    }
}
