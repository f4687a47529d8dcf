//! `view!`, written like Leptos's own. It makes one text of all that is known when it is compiled, with holes for what is not, in place of
//! a Rust type for each element: `app::view` reads the text and fills the holes, so that the browser's module has the code for that once.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use rstml::node::{
    KVAttributeValue, KeyedAttribute, KeyedAttributeValue, Node, NodeAttribute, NodeBlock, NodeElement, NodeName, NodeNameFragment,
};
use syn::{Expr, Lit, Stmt, spanned::Spanned as _};

// What stands in the text; `app::view::code` reads it. Each is followed by a name or a text, up to the next of them.
const OPEN: char = '\u{1}';
const OPEN_SVG: char = '\u{2}';
const CLOSE: char = '\u{3}';
const TEXT: char = '\u{4}';
/// A name, then what follows `VALUE`.
const ATTRIBUTE: char = '\u{5}';
const VALUE: char = '\u{6}';
/// From here on each has a hole.
const CHILD: char = '\u{7}';
const ATTRIBUTE_HOLE: char = '\u{e}';
const PROPERTY_HOLE: char = '\u{f}';
const CLASS_HOLE: char = '\u{10}';
const STYLE_HOLE: char = '\u{11}';
const HTML_HOLE: char = '\u{12}';
const EVENT_HOLE: char = '\u{13}';
const REFERENCE_HOLE: char = '\u{14}';

/// Elements of SVG whose names mean nothing in HTML.
const SVG: &[&str] = &[
    "svg",
    "g",
    "path",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "rect",
    "defs",
    "linearGradient",
    "stop",
    "clipPath",
    "use",
    "tspan",
];

/// Elements as in HTML, with Rust values after `=` and in braces; components are Leptos's.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let parser = rstml::Parser::new(rstml::ParserConfig::default().recover_block(true));
    let (nodes, errors) = parser.parse_recoverable(tokens).split_vec();
    let errors = errors.into_iter().map(|error| error.emit_as_expr_tokens());
    let view = View::of(&nodes);
    quote! { { #(#errors;)* #view } }.into()
}

/// What is made of some nodes.
#[derive(Default)]
struct View {
    code: String,
    holes: Vec<TokenStream>,
}

// === impl View ===

impl View {
    fn of(nodes: &[Node]) -> TokenStream {
        match nodes {
            [Node::Block(block)] => child(block),
            [Node::Element(element)] if is_component(element.name()) => component(element),
            nodes => {
                let mut view = Self::default();
                nodes.iter().for_each(|node| view.node(node));
                let Self { code, holes } = view;
                quote! { crate::view::template(#code, ::std::vec![#(#holes),*]) }
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Element(element) if is_component(element.name()) => {
                let view = component(element);
                self.hole(CHILD, "", quote! { crate::view::child(#view) });
            }
            Node::Element(element) => self.element(element),
            Node::Block(block) => {
                let view = child(block);
                self.hole(CHILD, "", quote! { crate::view::child(#view) });
            }
            Node::Text(text) => self.text(&text.value_string()),
            Node::RawText(text) => self.text(&text.to_string_best()),
            Node::Fragment(fragment) => fragment.children.iter().for_each(|node| self.node(node)),
            Node::Comment(_) | Node::Doctype(_) | Node::Custom(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.code.push(TEXT);
        self.code.push_str(text);
    }

    fn element(&mut self, element: &NodeElement<rstml::Infallible>) {
        let name = element.name().to_string();
        self.code.push(if SVG.contains(&name.as_str()) { OPEN_SVG } else { OPEN });
        self.code.push_str(&name);
        for attribute in element.attributes() {
            match attribute {
                NodeAttribute::Attribute(attribute) => self.attribute(attribute),
                NodeAttribute::Block(block) => self.hole(CHILD, "", quote! { ::std::compile_error!("no spread attributes here") #block }),
            }
        }
        element.children.iter().for_each(|node| self.node(node));
        self.code.push(CLOSE);
    }

    fn attribute(&mut self, attribute: &KeyedAttribute) {
        let name = attribute.key.to_string();
        let Some(value) = value(attribute) else {
            return self.constant(&name, "");
        };
        match name.split_once(':') {
            Some(("on", event)) => {
                let event = event.strip_suffix(":undelegated").unwrap_or(event);
                let kind = quote::format_ident!("{}", event);
                self.hole(EVENT_HOLE, event, quote! { crate::view::on(::leptos::ev::#kind, #value) });
            }
            Some(("prop", name)) => self.hole(PROPERTY_HOLE, name, quote! { crate::view::value(#value) }),
            Some(("class", name)) => self.hole(CLASS_HOLE, name, quote! { crate::view::value(#value) }),
            Some(("style", name)) => self.hole(STYLE_HOLE, name, quote! { crate::view::value(#value) }),
            _ if name == "node_ref" => self.hole(REFERENCE_HOLE, "", quote! { crate::view::reference(#value) }),
            _ if name == "inner_html" => self.hole(HTML_HOLE, "", quote! { crate::view::value(#value) }),
            _ => match (name.as_str(), &value) {
                ("style", Expr::Tuple(pair)) if pair.elems.len() == 2 => {
                    let value = &pair.elems[1];
                    let name = literal(&pair.elems[0]).unwrap_or_default();
                    self.hole(STYLE_HOLE, &name, quote! { crate::view::value(#value) });
                }
                (_, Expr::Lit(syn::ExprLit { lit: Lit::Bool(lit), .. })) => {
                    if lit.value {
                        self.constant(&name, "");
                    }
                }
                (_, expression) => match literal(expression) {
                    Some(text) => self.constant(&name, &text),
                    None => self.hole(ATTRIBUTE_HOLE, &name, quote! { crate::view::value(#expression) }),
                },
            },
        }
    }

    fn constant(&mut self, name: &str, value: &str) {
        self.code.push(ATTRIBUTE);
        self.code.push_str(name);
        self.code.push(VALUE);
        self.code.push_str(value);
    }

    fn hole(&mut self, kind: char, name: &str, value: TokenStream) {
        self.code.push(kind);
        self.code.push_str(name);
        self.holes.push(value);
    }
}

fn is_component(name: &NodeName) -> bool {
    let last = match name {
        NodeName::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        NodeName::Punctuated(parts) => parts.first().map(|part| match part {
            NodeNameFragment::Ident(ident) => ident.to_string(),
            _ => String::new(),
        }),
        NodeName::Block(_) => None,
    };
    last.is_some_and(|name| name.starts_with(char::is_uppercase))
}

/// Leptos makes it, with children of ours.
fn component(element: &NodeElement<rstml::Infallible>) -> TokenStream {
    let name = element.name();
    let attributes = element.attributes();
    let generics = &element.open_tag.generics;
    let site = site(name);
    if element.children.is_empty() {
        return quote! { crate::view::foreign(#site, ::leptos::view! { <#name #generics #(#attributes)*/> }) };
    }
    // A closure that is called with something is the component's own business.
    let inner = match &element.children[..] {
        [Node::Block(block)] if closure(block).is_some_and(|closure| !closure.inputs.is_empty()) => block.to_token_stream(),
        children => {
            let view = View::of(children);
            quote! { { #view } }
        }
    };
    quote! { crate::view::foreign(#site, ::leptos::view! { <#name #generics #(#attributes)*>#inner</#name> }) }
}

/// A number of its own for each place in the source.
fn site(name: &NodeName) -> u32 {
    let span = name.span().unwrap();
    let mut hash = DefaultHasher::new();
    (span.file(), span.line(), span.column()).hash(&mut hash);
    hash.finish() as u32
}

fn child(block: &NodeBlock) -> TokenStream {
    match block {
        NodeBlock::ValidBlock(block) => match &block.stmts[..] {
            [Stmt::Expr(expression, None)] => quote! { crate::view::IntoAny::into_any(#expression) },
            _ => quote! { crate::view::IntoAny::into_any(#block) },
        },
        NodeBlock::Invalid(block) => block.to_token_stream(),
    }
}

fn closure(block: &NodeBlock) -> Option<&syn::ExprClosure> {
    match block {
        NodeBlock::ValidBlock(block) => match &block.stmts[..] {
            [Stmt::Expr(Expr::Closure(closure), None)] => Some(closure),
            _ => None,
        },
        NodeBlock::Invalid(_) => None,
    }
}

/// `None`: the attribute's name stands alone.
fn value(attribute: &KeyedAttribute) -> Option<Expr> {
    match &attribute.possible_value {
        KeyedAttributeValue::Value(value) => Some(match &value.value {
            KVAttributeValue::Expr(expression) => expression.clone(),
            KVAttributeValue::InvalidBraced(block) => Expr::Verbatim(block.to_token_stream()),
        }),
        KeyedAttributeValue::None | KeyedAttributeValue::Binding(_) => None,
    }
}

fn literal(expression: &Expr) -> Option<String> {
    let Expr::Lit(literal) = expression else { return None };
    Some(match &literal.lit {
        Lit::Str(text) => text.value(),
        Lit::Char(letter) => letter.value().to_string(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().to_owned(),
        _ => return None,
    })
}
