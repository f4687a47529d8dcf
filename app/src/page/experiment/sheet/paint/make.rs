//! The elements that rows are made of.

use icondata_core::IconData;
use leptos::{
    prelude::document,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement, Node},
};

use super::Done;
use crate::part::icon;

pub fn element(tag: &str, class: &str) -> Done<HtmlElement> {
    let element: HtmlElement = document().create_element(tag)?.unchecked_into();
    if !class.is_empty() {
        element.set_class_name(class);
    }
    Ok(element)
}

/// A row with so many columns, and of them pinned ones; the first is the name.
pub fn mould((columns, pinned): (usize, usize)) -> Done<Node> {
    let row = element("tr", "")?;
    // A browser sees no table where rows are laid out as grids.
    row.set_attribute("role", "row")?;
    let name = element("th", "pinned")?;
    name.set_attribute("scope", "row")?;
    name.set_attribute("role", "rowheader")?;
    name.set_attribute("aria-colindex", "1")?;
    name.append_child(&*element("div", "line")?)?;
    row.append_child(&name)?;
    for at in 1..columns {
        if at == pinned {
            row.append_child(&gap()?)?;
        }
        let cell = blank(at < pinned)?;
        row.append_child(&cell)?;
    }
    if pinned >= columns {
        row.append_child(&gap()?)?;
    }
    row.append_child(&gap()?)?;
    Ok(row.into())
}

/// What stands for the columns that are not drawn.
pub fn gap() -> Done<Node> {
    let gap = element("td", "gap")?;
    gap.set_attribute("aria-hidden", "true")?;
    Ok(gap.into())
}

/// A cell without anything in it.
pub fn blank(pinned: bool) -> Done<Node> {
    let cell = element("td", if pinned { "pinned" } else { "" })?;
    cell.set_attribute("role", "gridcell")?;
    cell.append_child(&document().create_text_node(""))?;
    Ok(cell.into())
}

pub fn twister(open: bool) -> Done<Element> {
    let twist = element("button", "twist")?;
    let (icon, says) = if open {
        (icon::ChevronDown, "Close")
    } else {
        (icon::ChevronRight, "Open")
    };
    twist.set_attribute("type", "button")?;
    twist.set_tab_index(-1);
    twist.set_attribute("aria-label", says)?;
    twist.set_attribute("aria-expanded", if open { "true" } else { "false" })?;
    twist.append_child(&*picture(icon)?)?;
    Ok(twist.into())
}

pub fn picture(icon: &IconData) -> Done<Element> {
    let picture = document().create_element_ns(Some("http://www.w3.org/2000/svg"), "svg")?;
    picture.set_attribute("class", "icon")?;
    picture.set_attribute("viewBox", "0 0 24 24")?;
    picture.set_attribute("aria-hidden", "true")?;
    picture.set_inner_html(icon.data);
    Ok(picture)
}
