//! Lists the documents of the folder `documents`, so that they are compiled in.

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=documents");
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(&root).join("documents")).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "graphql") {
            files.push(path);
        }
    }
    files.sort();
    let texts: Vec<_> = files.iter().map(|path| format!("    include_str!({path:?}),\n")).collect();
    let list = format!("const DOCUMENTS: &[&str] = &[\n{}];\n", texts.concat());
    fs::write(Path::new(&env::var("OUT_DIR")?).join("documents.rs"), list)?;
    Ok(())
}
