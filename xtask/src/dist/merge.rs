//! Puts small modules together into one: a request costs more than some code that is not needed yet.

use std::collections::{BTreeMap, HashMap};

use anyhow::{anyhow, bail};
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, FunctionSection, ImportSection, Module, TypeSection,
    reencode::{Error, Reencode},
};
use wasmparser::{Parser, Payload, TypeRef};

/// What is smaller goes into the one file that every module loads.
const SMALL: usize = 4096;
/// The name of that file.
const TOGETHER: &str = "chunk_together";

/// Merges the small ones of the parts; `modules` lists the parts that each needs.
pub fn merge_small(parts: &mut BTreeMap<String, Vec<u8>>, modules: &mut BTreeMap<String, Vec<String>>) -> anyhow::Result<()> {
    let small: BTreeMap<_, _> = parts.extract_if(.., |_, bytes| bytes.len() < SMALL).collect();
    if small.is_empty() {
        return Ok(());
    }
    let bytes: Vec<&[u8]> = small.values().map(Vec::as_slice).collect();
    parts.insert(TOGETHER.to_owned(), merge(&bytes)?);
    for needed in modules.values_mut() {
        let before = needed.len();
        needed.retain(|part| !small.contains_key(part));
        if needed.len() < before {
            needed.insert(0, TOGETHER.to_owned());
        }
    }
    Ok(())
}

/// One module that does what all of these do. They import from the first module, and fill its table and its memory; nothing else.
fn merge(modules: &[&[u8]]) -> anyhow::Result<Vec<u8>> {
    let mut imports = Imports::default();
    let mut places = Vec::new();
    for bytes in modules {
        places.push(imports.take_in(bytes)?);
    }
    let (mut types, mut functions, mut elements) = (TypeSection::new(), FunctionSection::new(), ElementSection::new());
    let (mut code, mut data) = (CodeSection::new(), DataSection::new());
    let mut all = ImportSection::new();
    for (bytes, mut places) in modules.iter().zip(places) {
        places.first_type = types.len();
        places.first_function = imports.functions + functions.len();
        places.first_data = data.len();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => places.parse_type_section(&mut types, section)?,
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if imports.is_new(import.module, import.name) {
                            places.parse_import(&mut all, import)?;
                        }
                    }
                }
                Payload::FunctionSection(section) => places.parse_function_section(&mut functions, section)?,
                Payload::ElementSection(section) => places.parse_element_section(&mut elements, section)?,
                Payload::CodeSectionEntry(body) => places.parse_function_body(&mut code, body)?,
                Payload::DataSection(section) => places.parse_data_section(&mut data, section)?,
                Payload::Version { .. }
                | Payload::DataCountSection { .. }
                | Payload::CodeSectionStart { .. }
                | Payload::CustomSection(_)
                | Payload::End(_) => {}
                other => bail!("a part has something that merging does not know of: {other:?}"),
            }
        }
    }
    let mut module = Module::new();
    module
        .section(&types)
        .section(&all)
        .section(&functions)
        .section(&elements)
        .section(&DataCountSection { count: data.len() })
        .section(&code)
        .section(&data);
    Ok(module.finish())
}

/// What is imported by all modules together, each thing once.
#[derive(Default)]
struct Imports {
    /// By name; its place among the things of its kind, and whether it is in the merged module yet.
    known: HashMap<(String, String), (u32, bool)>,
    functions: u32,
    tables: u32,
    memories: u32,
    globals: u32,
}

/// Where the things of one module are in the merged one.
#[derive(Default)]
struct Places {
    functions: Vec<u32>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
    first_type: u32,
    first_function: u32,
    first_data: u32,
}

type Never = Error<std::convert::Infallible>;

// === impl Imports ===

impl Imports {
    fn take_in(&mut self, module: &[u8]) -> anyhow::Result<Places> {
        let mut places = Places::default();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::ImportSection(section) = payload? else { continue };
            for import in section.into_imports() {
                let import = import?;
                let (count, places) = match import.ty {
                    TypeRef::Func(_) => (&mut self.functions, &mut places.functions),
                    TypeRef::Table(_) => (&mut self.tables, &mut places.tables),
                    TypeRef::Memory(_) => (&mut self.memories, &mut places.memories),
                    TypeRef::Global(_) => (&mut self.globals, &mut places.globals),
                    other => return Err(anyhow!("a part imports what merging does not know of: {other:?}")),
                };
                let name = (import.module.to_owned(), import.name.to_owned());
                let (place, _) = self.known.entry(name).or_insert_with(|| {
                    *count += 1;
                    (*count - 1, false)
                });
                places.push(*place);
            }
        }
        Ok(places)
    }

    fn is_new(&mut self, module: &str, name: &str) -> bool {
        let known = self.known.get_mut(&(module.to_owned(), name.to_owned()));
        known.is_some_and(|(_, is_there)| !std::mem::replace(is_there, true))
    }
}

// === impl Places ===

/// An index that the module does not have stays as it is: whoever reads the module refuses it.
fn place(places: &[u32], index: u32) -> u32 {
    places.get(index as usize).copied().unwrap_or(index)
}

impl Reencode for Places {
    type Error = std::convert::Infallible;

    fn type_index(&mut self, index: u32) -> Result<u32, Never> {
        Ok(self.first_type + index)
    }

    fn data_index(&mut self, index: u32) -> Result<u32, Never> {
        Ok(self.first_data + index)
    }

    fn function_index(&mut self, index: u32) -> Result<u32, Never> {
        let imported = self.functions.len() as u32;
        Ok(match index.checked_sub(imported) {
            Some(own) => self.first_function + own,
            None => place(&self.functions, index),
        })
    }

    fn table_index(&mut self, index: u32) -> Result<u32, Never> {
        Ok(place(&self.tables, index))
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, Never> {
        Ok(place(&self.memories, index))
    }

    fn global_index(&mut self, index: u32) -> Result<u32, Never> {
        Ok(place(&self.globals, index))
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ConstExpr, Elements, EntityType, Function, GlobalType, MemoryType, RefType, TableType, ValType};
    use wasmparser::Validator;

    use super::*;

    /// Puts a function at `slot` of the table that calls an imported one and then itself, and a letter into the memory.
    fn part(slot: i32, imported: &str, types_before: u32) -> Vec<u8> {
        let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
        for _ in 0..types_before {
            types.ty().function([ValType::F64], []);
        }
        types.ty().function([], []);
        let table = TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 9,
            maximum: None,
            shared: false,
        };
        let memory = MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        let global = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        imports.import("main", "memory", memory);
        imports.import("main", imported, EntityType::Function(types_before));
        imports.import("main", "table", table);
        imports.import("main", "stack", global);
        functions.function(types_before);
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(slot), Elements::Functions((&[1][..]).into()));
        let mut body = Function::new([]);
        body.instructions().call(0).global_get(0).drop().call(1).end();
        let mut code = CodeSection::new();
        code.function(&body);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(slot), [b'x']);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&elements)
            .section(&DataCountSection { count: 1 })
            .section(&code)
            .section(&data);
        module.finish()
    }

    #[test]
    fn each_part_keeps_calling_what_it_called() {
        let (one, two, three) = (part(1, "draw", 0), part(2, "say", 3), part(3, "draw", 1));
        let merged = merge(&[&one, &two, &three]).unwrap();
        Validator::new().validate_all(&merged).unwrap();
        let (mut imported, mut calls, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(&merged) {
            match payload.unwrap() {
                Payload::ImportSection(section) => imported.extend(section.into_imports().map(|import| import.unwrap().name)),
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().unwrap().into_iter().map(Result::unwrap);
                    calls.push(
                        operators
                            .filter_map(|operator| match operator {
                                wasmparser::Operator::Call { function_index } => Some(function_index),
                                _ => None,
                            })
                            .collect::<Vec<_>>(),
                    );
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let wasmparser::ElementItems::Functions(functions) = element.unwrap().items else {
                            panic!()
                        };
                        slots.extend(functions.into_iter().map(Result::unwrap));
                    }
                }
                _ => {}
            }
        }
        assert_eq!(imported, ["memory", "draw", "table", "stack", "say"]);
        assert_eq!(calls, [[0, 2], [1, 3], [0, 4]]);
        assert_eq!(slots, [2, 3, 4]);
    }

    #[test]
    fn small_parts_become_one_file_and_large_ones_stay() {
        let mut parts = BTreeMap::from([
            ("a".to_owned(), part(1, "draw", 0)),
            ("b".to_owned(), part(2, "draw", 0)),
            ("large".to_owned(), vec![0; SMALL]),
        ]);
        let list = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let mut modules = BTreeMap::from([
            ("one".to_owned(), list(&["a", "large"])),
            ("two".to_owned(), list(&["a", "b", "large"])),
            ("three".to_owned(), list(&["large"])),
        ]);
        merge_small(&mut parts, &mut modules).unwrap();
        assert_eq!(modules["one"], [TOGETHER, "large"]);
        assert_eq!(modules["two"], [TOGETHER, "large"]);
        assert_eq!(modules["three"], ["large"]);
        assert_eq!(parts.keys().collect::<Vec<_>>(), [TOGETHER, "large"]);
    }
}
