//! Empties functions that Leptos links and this console never calls, so that wasm-opt can drop them and all that only they use.

use std::{collections::HashSet, path::Path};

use anyhow::Context as _;
use wasm_encoder::{
    CodeSection, Function, Module,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{FunctionBody, KnownCustom, Name, Parser, Payload, TypeRef};

use crate::file;

/// Hydration that waits for code in the middle of a page: ours has all its code before it begins. Its functions, and the
/// state machines that they return; nothing within these, which the compiler may have merged with the same code elsewhere.
const NEVER_CALLED: &[&str] = &["13hydrate_async17h", "13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$17h"];
/// What is shorter may be merged with anything, and gains nothing.
const SHORT: usize = 100;

/// Changes the module in place. It has to have names still.
pub fn snip(wasm: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let snipped = without(&bytes).with_context(|| format!("{} cannot be understood", wasm.display()))?;
    file::write(wasm, snipped)
}

fn without(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut snipper = Snipper::read(bytes)?;
    let mut module = Module::new();
    utils::parse_core_module(&mut snipper, &mut module, Parser::new(0), bytes)?;
    Ok(module.finish())
}

/// Copies a module, but for the bodies of these functions.
struct Snipper {
    /// By their place in the code section.
    emptied: HashSet<u32>,
    place: u32,
}

// === impl Snipper ===

impl Snipper {
    fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut imported = 0;
        let mut emptied = HashSet::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(names) = section.as_known() else { continue };
                    for part in names {
                        let Name::Function(functions) = part? else { continue };
                        for function in functions {
                            let function = function?;
                            if NEVER_CALLED.iter().any(|part| function.name.contains(part)) {
                                emptied.extend(function.index.checked_sub(imported));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(Self { emptied, place: 0 })
    }
}

impl Reencode for Snipper {
    type Error = std::convert::Infallible;

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Self::Error>> {
        let place = self.place;
        self.place += 1;
        if !self.emptied.contains(&place) || body.as_bytes().len() < SHORT {
            return utils::parse_function_body(self, code, body);
        }
        let mut empty = Function::new([]);
        empty.instructions().unreachable().end();
        code.function(&empty);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ExportKind, ExportSection, FunctionSection, NameMap, NameSection, TypeSection};

    use super::*;

    /// A module of two functions, each of them exported.
    fn module(names: [&str; 2], length: usize) -> Vec<u8> {
        let (mut types, mut functions, mut exports, mut code) =
            (TypeSection::new(), FunctionSection::new(), ExportSection::new(), CodeSection::new());
        types.ty().function([], [wasm_encoder::ValType::I32]);
        let mut map = NameMap::new();
        for (index, name) in (0..).zip(names) {
            functions.function(0);
            exports.export(name, ExportKind::Func, index);
            let mut body = Function::new([]);
            for _ in 0..length {
                body.instructions().i32_const(7).drop();
            }
            body.instructions().i32_const(7).end();
            code.function(&body);
            map.append(index, name);
        }
        let mut names = NameSection::new();
        names.functions(&map);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code)
            .section(&names);
        module.finish()
    }

    fn emptied(module: &[u8]) -> Vec<bool> {
        let payloads = Parser::new(0).parse_all(module).map(Result::unwrap);
        let bodies = payloads.filter_map(|payload| match payload {
            Payload::CodeSectionEntry(body) => Some(body.as_bytes().len()),
            _ => None,
        });
        bodies.map(|length| length == 3).collect()
    }

    #[test]
    fn only_what_is_never_called_is_emptied() {
        let machine = "_ZN6tachys4view13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$17h0E";
        let within = "_ZN6tachys4view13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$7inner_117h0E";
        let snip = |names, length| emptied(&without(&module(names, length)).unwrap());
        assert_eq!(snip(["run", "_ZN6tachys4view13hydrate_async17h0E"], 100), [false, true]);
        assert_eq!(snip([machine, within], 100), [true, false]);
        assert_eq!(snip([machine, "run"], 1), [false, false]);
    }
}
