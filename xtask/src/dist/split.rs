//! Splits the console's WebAssembly into the first page and the modules that are loaded later (`app::page::module`).
//!
//! The split needs what the linker knows and wasm-bindgen drops. Trunk calls both, one after the other, so it is given a
//! wasm-bindgen that splits first.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use wasm_split_cli_support::{Options, transform};

use super::snip;
use crate::{file, folders::Folders, process};

/// What the first module's script imports the loading of the others from.
pub const LOADER: &str = "./__wasm_split.js";

/// The folder that has to come first in trunk's `PATH`.
pub fn programs(folders: &Folders) -> anyhow::Result<PathBuf> {
    let folder = parts(folders).join("bin");
    file::make_folder(&folder)?;
    let program = std::env::current_exe().context("where this program is")?;
    let shim = folder.join("wasm-bindgen");
    file::write(
        &shim,
        format!(
            "#!/bin/sh\nexec '{}' bindgen \"$@\"\n",
            program.display().to_string().replace('\'', r"'\''")
        ),
    )?;
    file::make_executable(&shim)?;
    Ok(folder)
}

/// wasm-bindgen's own arguments; the module among them is split before it sees it.
pub fn bindgen(folders: &Folders, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut arguments = arguments.to_vec();
    let module = arguments
        .iter_mut()
        .find(|argument| Path::new(argument).extension().is_some_and(|kind| kind == "wasm"));
    if let Some(module) = module {
        *module = split(folders, Path::new(module))?.into();
        // The modules call each other through the table, which is such an export.
        arguments.push("--keep-lld-exports".into());
    }
    process::run(folders.command(folders.tools.join("bin/wasm-bindgen")).args(arguments))
}

/// Splits the module; the result is its first part.
fn split(folders: &Folders, module: &Path) -> anyhow::Result<PathBuf> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let folder = modules(folders);
    file::fresh_folder(&folder)?;
    // Beside the modules, and of the name that wasm-bindgen calls its output.
    let main = parts(folders).join(module.file_name().unwrap_or_default());
    let mut options = Options::new(&bytes);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.link_name = LOADER;
    let done = transform(options).map_err(|error| anyhow!("splitting {}: {error:#}", module.display()))?;
    for part in done.split_modules.iter().chain([&main]) {
        snip::snip(part)?;
    }
    let list = serde_json::to_string(&done.prefetch_map)?;
    file::write(&folder.join("modules.json"), list)?;
    Ok(main)
}

fn parts(folders: &Folders) -> PathBuf {
    folders.target.join("split")
}

/// Where the modules are that [`bindgen`] has split off, and `modules.json`: the files of each.
pub fn modules(folders: &Folders) -> PathBuf {
    parts(folders).join("modules")
}

/// The script that loads modules: `begin` gets what the first one exports; each file is fetched and started once, and
/// again after a failure. The first module calls `load` with a function of its own, to be told how it went.
pub fn loader<'a>(modules: impl Iterator<Item = (&'a str, &'a [String])>) -> anyhow::Result<String> {
    let mut script = String::from(
        "let main;export const begin=(exports)=>{main=exports};\
         const got={};\
         const get=(file)=>got[file]??=WebAssembly.instantiateStreaming(fetch(new URL(file,import.meta.url)),{__wasm_split:main})\
         .catch((error)=>{delete got[file];throw error});\
         const load=(files)=>async(told,what)=>{\
         let well=true;\
         try{await Promise.all(files.map(get))}catch(error){console.error(error);well=false}\
         main.__indirect_function_table.get(told)(what,well)};\n",
    );
    for (name, files) in modules {
        script.push_str(&format!(
            "export const __wasm_split_load_{name}=load({});\n",
            serde_json::to_string(files)?
        ));
    }
    Ok(script)
}
