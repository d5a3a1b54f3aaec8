//! `cargo dev load` against real tables signs with the credentials of the AWS configuration.

use dev::bundle::Bundle;
use dev::client::Target;
use dev::load::{self, Destination};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};

/// A server that answers every request with 404 and hands on its `authorization` header.
struct Recorder {
    url: String,
    signatures: Receiver<String>,
}

impl Recorder {
    fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let (send, signatures) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (mut head, mut chunk) = (String::new(), [0; 4096]);
                while !head.contains("\r\n\r\n") {
                    let read = stream.read(&mut chunk).unwrap_or(0);
                    if read == 0 {
                        break;
                    }
                    head.push_str(&String::from_utf8_lossy(&chunk[..read]));
                }
                let signature = head.lines().find_map(|line| {
                    line.to_lowercase().starts_with("authorization:").then(|| line.to_owned())
                });
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                );
                let _ = send.send(signature.unwrap_or_default());
            }
        });
        Ok(Self { url, signatures })
    }
}

/// A folder with AWS configuration files and one row to load.
fn folder(name: &str) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("config"),
        "[profile staging]\nregion = eu-west-3\n[profile other]\nregion = eu-north-1\n",
    )?;
    let credentials = "[staging]\naws_access_key_id = AKIDSTAGING\naws_secret_access_key = secret\n\
                       [other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = secret\n";
    std::fs::write(folder.join("credentials"), credentials)?;
    std::fs::write(folder.join("users.jsonl"), "{\"userId\":\"u-1\"}\n")?;
    Ok(folder)
}

/// The options of the load, as variables of the child process: `None` without the variable.
const OPTIONS: [&str; 3] = ["TEST_ENDPOINT", "TEST_REGION", "TEST_PROFILE"];

/// Loads the row in a process of its own, with these files and none of the caller's own AWS
/// settings.
fn load(folder: &Path, options: &[(&str, &str)], variables: &[(&str, &str)]) -> io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .env("AWS_CONFIG_FILE", folder.join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("credentials"));
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .envs(options.iter().copied());
    command
        .args(["--ignored", "--exact", "--nocapture", "in_a_process_of_its_own"])
        .current_dir(folder)
        .output()
}

#[tokio::test]
#[ignore = "the other tests start it, with an environment of its own"]
async fn in_a_process_of_its_own() {
    let [endpoint, region, profile] = OPTIONS.map(|name| std::env::var(name).ok());
    let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
    let client = Target::choose(endpoint, region, profile).unwrap().connect().await.unwrap();
    let to = Destination {
        client: Some(&client),
        of: bundle.find("users").unwrap(),
        name: "users-1",
        shards: 1,
    };
    if let Err(error) = load::file(to, Path::new("users.jsonl"), Path::new("rejects.jsonl")).await {
        eprintln!("\nerror: {error:#}");
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_named_profile_signs_even_where_the_environment_has_keys() {
    let recorder = Recorder::start().unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_PROFILE", "other"),
    ];
    let output = load(
        &folder("named-profile").unwrap(),
        &[("TEST_PROFILE", "staging"), ("TEST_ENDPOINT", &recorder.url)],
        &keys,
    )
    .unwrap();
    let signature = recorder.signatures.try_recv().unwrap();
    assert!(
        signature.contains("Credential=AKIDSTAGING/") && signature.contains("/eu-west-3/dynamodb/"),
        "{signature}"
    );
    // What the recorder answers is no answer of DynamoDB's.
    assert!(stderr(&output).contains("no DynamoDB answers there (404)"), "{}", stderr(&output));
}

#[test]
fn the_profile_of_the_environment_signs_where_a_region_is_given() {
    let recorder = Recorder::start().unwrap();
    load(
        &folder("profile-of-environment").unwrap(),
        &[("TEST_REGION", "eu-west-1"), ("TEST_ENDPOINT", &recorder.url)],
        &[("AWS_PROFILE", "staging")],
    )
    .unwrap();
    let signature = recorder.signatures.try_recv().unwrap();
    assert!(
        signature.contains("Credential=AKIDSTAGING/") && signature.contains("/eu-west-1/dynamodb/"),
        "{signature}"
    );
}

#[test]
fn the_profile_of_the_environment_alone_does_not_leave_this_machine() {
    let recorder = Recorder::start().unwrap();
    load(
        &folder("local").unwrap(),
        &[("TEST_ENDPOINT", &recorder.url)],
        &[("AWS_PROFILE", "staging")],
    )
    .unwrap();
    let signature = recorder.signatures.try_recv().unwrap();
    assert!(signature.contains("Credential=local/"), "{signature}");
}

#[test]
fn missing_credentials_are_one_line_that_says_so() {
    let recorder = Recorder::start().unwrap();
    let output = load(
        &folder("no-credentials").unwrap(),
        &[("TEST_REGION", "eu-west-1"), ("TEST_ENDPOINT", &recorder.url)],
        &[],
    )
    .unwrap();
    assert!(stderr(&output).contains("\nerror: no AWS credentials: "), "{}", stderr(&output));
    assert!(recorder.signatures.try_recv().is_err());
}
