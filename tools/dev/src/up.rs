//! `cargo dev up`: the whole stack on this machine, without Docker, Java or an AWS account.
//!
//! DynamoDB in this process, tables from the template, data, and the functions under
//! `cargo lambda watch`. Ports are taken and tools found before any slow step; the functions are
//! built here, where the progress is visible, with the same arguments that `watch` passes to
//! `cargo run`, so that the first request compiles nothing.

mod quota;

use crate::banner::Banner;
use crate::build::Build;
use crate::bundle::{Bundle, Stored};
use crate::cache::{Cache, Choice};
use crate::client::{self, LOCAL_REGION};
use crate::database::{self, Local};
use crate::gateway::Gateway;
use crate::guard;
use crate::load::{self, Destination};
use crate::log::{self, Format};
use crate::process::{self, Group};
use crate::rows::Rows;
use crate::sample::Sample;
use crate::stack::Stack;
use crate::template::Template;
use crate::{cargo_lambda, local_env, local_http, terminal, workspace};
use anyhow::{Context as _, Result, anyhow, bail};
use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::Command;

pub use quota::Quota;

/// The feature that makes a function accept the tokens of `cargo dev token`.
const FEATURE: &str = "local-tokens";
/// Not a secret: it seals the cursors of a stack that only this machine reaches.
const CURSOR_SECRET: &str = "local-only-cursor-secret-of-cargo-dev-up";
const START: Duration = Duration::from_secs(60);
/// The time that the last lines of the log may take when all functions have ended.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The maximum number of characters of a body that are printed.
const SHOWN: usize = 400;

/// The options of `cargo dev up`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The functions' port.
    pub port: u16,
    /// DynamoDB's port.
    pub dynamodb_port: u16,
    /// The address on which DynamoDB listens; 0.0.0.0 lets containers of `sam local` reach it.
    pub dynamodb_host: IpAddr,
    /// Data to load in place of the sample.
    pub load: Option<PathBuf>,
    /// A folder to keep the tables in.
    pub data: Option<PathBuf>,
    /// `CATALOG_SHARDS`.
    pub shards: u32,
    /// The quota of each caller (`CALLER_LIMIT`); none unless set.
    pub quota: Option<Quota>,
    /// The cache tier (`CACHE_URL`).
    pub cache: Choice,
    /// Make the banner's requests, and end.
    pub once: bool,
    /// How the functions' requests are logged.
    pub log: Format,
}

/// Runs the stack until it is ended from outside (drop the future), or until its requests are
/// answered (`once`).
pub async fn up(options: &Options) -> Result<()> {
    if options.port == options.dynamodb_port {
        bail!("--port and --dynamodb-port are both {}: choose two", options.port);
    }
    let root = workspace::root();
    let (bundle, sample) = (Bundle::of_workspace()?, Sample::of_workspace()?);
    let template = &bundle.template;
    let files = match &options.load {
        Some(path) => Some(load::files(path, &bundle)?),
        None => None,
    };
    let functions = database::bind(Ipv4Addr::LOCALHOST.into(), options.port).context("--port")?;
    let listener =
        database::bind(options.dynamodb_host, options.dynamodb_port).context("--dynamodb-port")?;
    let dynamodb_port = listener.local_addr().context("--dynamodb-port")?.port();
    let cache = Cache::start(&options.cache).await?;
    let db = database::open(options.data.as_deref())?;
    let made = database::create_tables(&db, template)?;
    let tool = cargo_lambda::find(&root).await?;
    build_functions(&root, template).await?;

    // Both servers listen where no page can find them, each behind a guard on the chosen port.
    let mut local = database::serve(guard::hidden()?, db)?;
    let emulator =
        local.url.trim_start_matches("http://").parse().context("the emulator has no address")?;
    let _emulator = guard::start(listener, emulator)?;
    local.url = format!("http://{}", SocketAddr::from((Ipv4Addr::LOCALHOST, dynamodb_port)));
    let stack = Stack { pid: std::process::id(), port: options.port, dynamodb_port };
    let _registered = stack.register(&root)?;
    fill(&local, &bundle, &sample, options, files, &made).await?;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    // The port is free now; `watch` takes it.
    let hidden = guard::hidden()?.local_addr().context("no free port")?;
    let built = Build::default();
    let gateway = Gateway::new(template, hidden, built.clone(), options.log);
    let _functions = gateway.start(functions)?;
    let watch = watch(&tool, &root, &bundle, (&local, &cache), options, hidden)?;
    let mut watch = Group::start(watch, "cargo lambda watch")?;
    let copied = log::copy(&mut watch, options.log, built);
    let served = tokio::select! {
        served = serve(address, hidden, &local, &bundle, &sample, options) => served,
        ended = watch.wait() => match ended {
            Ok(status) => Err(anyhow!("cargo lambda watch ended by itself ({status}): see above")),
            Err(error) => Err(error),
        },
    };
    watch.end().await;
    let _ = tokio::time::timeout(LAST_LINES, copied).await;
    served
}

async fn serve(
    address: SocketAddr,
    hidden: SocketAddr,
    local: &Local,
    bundle: &Bundle,
    sample: &Sample,
    options: &Options,
) -> Result<()> {
    until_it_answers(hidden).await?;
    let rows = Rows::read(&client::local(&local.url), bundle, sample).await?;
    let banner = Banner::new(address, bundle, &rows);
    if !options.once {
        println!("{}", terminal::lines(&banner.text(&local.url)));
        return std::future::pending().await;
    }
    let mut failed = 0;
    for (path, token) in &banner.requests {
        let response = local_http::get(address, path, token.as_deref()).await?;
        let status = response.status().as_u16();
        let body = String::from_utf8_lossy(response.body());
        let beginning: String = body.chars().take(SHOWN).collect();
        let more = if beginning.len() < body.len() { "…" } else { "" };
        let answer = terminal::lines(&format!("GET {path}\n{status} {beginning}{more}\n"));
        println!("{answer}");
        failed += u32::from(status != 200);
    }
    match failed {
        0 => Ok(()),
        _ => Err(anyhow!(
            "{failed} of {} requests were not answered with 200",
            banner.requests.len()
        )),
    }
}

/// Builds the functions as `watch` will: `cargo run --bin NAME --features …`, all members selected.
async fn build_functions(root: &Path, template: &Template) -> Result<()> {
    if template.functions.is_empty() {
        bail!(
            "the bundle has no function: `cargo dev new resource`, then `cargo dev new route` make one"
        );
    }
    eprintln!("building {} functions", template.functions.len());
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["build", "--manifest-path", "Cargo.toml", "--features", FEATURE]);
    for function in &template.functions {
        cargo.args(["--bin", &function.binary]);
    }
    process::run(cargo, "the build of the functions").await
}

/// Loads the given data, or the sample data if all tables were just made.
async fn fill(
    local: &Local,
    bundle: &Bundle,
    sample: &Sample,
    options: &Options,
    files: Option<Vec<(PathBuf, Stored<'_>)>>,
    made: &[String],
) -> Result<()> {
    let client = client::local(&local.url);
    let Some(files) = files else {
        if made.len() == bundle.template.tables.len() {
            for report in load::sample(&client, bundle, sample, options.shards).await? {
                eprintln!("sample {report}");
            }
        }
        return Ok(());
    };
    let mut rejected = 0;
    for (path, of) in files {
        let to = Destination {
            client: Some(&client),
            of,
            name: &of.table.local_name,
            shards: options.shards,
        };
        let report = load::file(to, &path, &rejects(None, &path)).await?;
        eprintln!("{report}");
        rejected += report.rejected;
    }
    if rejected > 0 {
        eprintln!(
            "{rejected} rows were rejected, the others are loaded: correct them, then load them with `cargo dev load`"
        );
    }
    Ok(())
}

/// Returns the place for the rejects of a file: the given folder, else the build folder.
pub(crate) fn rejects(folder: Option<&Path>, of: &Path) -> PathBuf {
    let stem = of.file_stem().unwrap_or_default().to_string_lossy();
    let folder = folder
        .map_or_else(|| workspace::target(&workspace::root()).join("rejects"), Path::to_path_buf);
    folder.join(format!("{stem}.rejects.jsonl"))
}

/// `cargo lambda watch`, with the environment that template.yaml gives the functions.
fn watch(
    tool: &Path,
    root: &Path,
    bundle: &Bundle,
    (local, cache): (&Local, &Cache),
    options: &Options,
    at: SocketAddr,
) -> Result<Command> {
    let mut command = process::bound(tool)?;
    command
        .current_dir(root)
        .args(["lambda", "watch", "--invoke-address"])
        .arg(at.ip().to_string());
    command.arg("--invoke-port").arg(at.port().to_string()).args(["--features", FEATURE, "--wait"]);
    // Without it, scripts of every origin could read the answers.
    command.arg("--disable-cors");
    let color = if std::io::stderr().is_terminal() { "always" } else { "never" };
    command.args(["--color", color]).env("CARGO_TERM_COLOR", color);
    // Links are escape sequences that would be shown.
    command.env("CARGO_TERM_HYPERLINKS", "false");
    // Hides the tool's own INFO lines; the output of the functions is shown.
    command.env("RUST_LOG", "warn,watchexec=off");
    // A database in this folder must not count as changed code.
    let ignored = workspace::target(root).join("watch.ignore");
    std::fs::write(&ignored, "*.sqlite*\n*.rejects.jsonl\n")
        .with_context(|| format!("cannot write {}", workspace::shown(&ignored)))?;
    command.env("CARGO_LAMBDA_IGNORE_FILE", &ignored);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .envs(bundle.template.table_variables())
        .env("AWS_ENDPOINT_URL_DYNAMODB", &local.url)
        .env("AWS_REGION", LOCAL_REGION)
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env_remove("AWS_SESSION_TOKEN")
        .env("CATALOG_SHARDS", options.shards.to_string())
        .env("CURSOR_SECRET", CURSOR_SECRET)
        .env_remove("CURSOR_SECRET_PREVIOUS")
        .env("READ_ANY_SCOPE", bundle.read_any_scope())
        .env("SERVER_TIMING", "full")
        .env("LOG_LEVEL", std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".to_owned()))
        .env("CALLER_LIMIT", options.quota.as_ref().map_or("", Quota::written))
        .env("CACHE_URL", &cache.url)
        .env_remove("SERVICE_LIMIT")
        .env_remove("ADDRESS_LIMIT");
    for function in &bundle.template.functions {
        command.envs(local_env::read(root, &function.binary)?);
    }
    Ok(command)
}

async fn until_it_answers(address: SocketAddr) -> Result<()> {
    let begin = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if begin.elapsed() > START {
            bail!("cargo lambda watch does not listen on {address} after {} s", START.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            port: 9000,
            dynamodb_port: 8000,
            dynamodb_host: Ipv4Addr::LOCALHOST.into(),
            load: None,
            data: None,
            shards: 1,
            quota: None,
            cache: Choice::Off,
            once: true,
            log: Format::Text,
        }
    }

    #[tokio::test]
    async fn one_port_for_both_is_refused() {
        let options = Options { dynamodb_port: 9000, ..options() };
        let error = up(&options).await.unwrap_err().to_string();
        assert_eq!(error, "--port and --dynamodb-port are both 9000: choose two");
    }

    /// `watch` itself answers every origin and every `Host`, and does not end with this process.
    #[tokio::test]
    async fn the_functions_listen_behind_the_gateway_without_cors_and_end_with_the_stack() {
        let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
        let local = database::start(&bundle.template).unwrap();
        let cache = Cache::start(&Choice::Off).await.unwrap();
        let hidden = SocketAddr::from(([127, 9, 8, 7], 4321));
        let root = std::env::temp_dir().join(format!("up-{}", std::process::id()));
        let (tool, stack) = (Path::new("cargo-lambda"), (&local, &cache));
        // With CARGO_TARGET_DIR, the build folder is elsewhere.
        for folder in [&root, &workspace::target(&root)] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let command = watch(tool, &root, &bundle, stack, &options(), hidden).unwrap();
        let words: Vec<_> =
            command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let line = words.join(" ");
        if cfg!(target_os = "linux") {
            let bound = format!("bound {} -- cargo-lambda lambda watch ", std::process::id());
            assert!(line.starts_with(&bound), "{line}");
        }
        assert!(line.contains(" --invoke-address 127.9.8.7 --invoke-port 4321 "), "{line}");
        assert!(words.iter().any(|word| word == "--disable-cors"), "{line}");
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_local_secret_is_long_enough_and_says_what_it_is() {
        assert!(CURSOR_SECRET.len() >= 32 && CURSOR_SECRET.contains("local-only"));
    }
}
