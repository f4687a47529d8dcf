//! What views are as HTML.

use leptos::prelude::*;
use view::view;

use super::{AnyView, IntoAny, each};

fn html(view: AnyView) -> String {
    Owner::new().with(|| view.to_html())
}

#[test]
fn elements_have_what_is_known_and_what_fills_the_holes() {
    let (id, name, off) = ("a\"b", "x < y & z".to_owned(), false);
    let view = view! {
        <label class="field" for=id hidden=off data-deep=true data-off=false>
            {name}": "<input type="text" required value=3 disabled=true/>
        </label>
    };
    assert_eq!(
        html(view),
        "<label for=\"a&quot;b\" data-deep class=\"field\">x &lt; y &amp; z<!>: <input type=\"text\" required value=\"3\" disabled></label>"
    );
}

#[test]
fn classes_and_styles_are_joined() {
    let width = Some("3px".to_owned());
    let view = view! { <i class="a" class:on=true class:off=|| false style:width=width style=("--x", "1")></i> };
    assert_eq!(html(view), "<i class=\"a on\" style=\"width:3px; --x:1;\"></i>");
}

#[test]
fn what_is_not_there_leaves_a_place() {
    let none = None::<AnyView>;
    assert_eq!(html(view! { <p>{none}"end"</p> }), "<p><!>end</p>");
    let list = vec![view! { <b>"1"</b> }, view! { <b>"2"</b> }];
    assert_eq!(html(view! { <p>{list}</p> }), "<p><b>1</b><b>2</b><!></p>");
    assert_eq!(html(view! { <p>{String::new()}</p> }), "<p> </p>");
}

#[test]
fn what_changes_is_read() {
    let number = || 7;
    let sum = move || view! { <b title=move || format!("{} in all", number())>{number}</b> };
    assert_eq!(html(view! { {sum}<hr/> }), "<b title=\"7 in all\">7</b><hr>");
    let items = each(|| vec![1, 2, 2, 3], |item| *item, |item| item.into_any());
    assert_eq!(html(view! { <ol>{items}</ol> }), "<ol>1<!>2<!>3<!></ol>");
}

#[test]
fn html_and_scripts_stay_as_they_are() {
    let inner = "<b>&</b>";
    assert_eq!(
        html(view! { <svg viewBox="0 0 1 1" inner_html=inner></svg> }),
        "<svg viewBox=\"0 0 1 1\"><b>&</b></svg>"
    );
    assert_eq!(html(view! { <script>"a && b"</script> }), "<script>a && b</script>");
}

#[test]
fn components_of_leptos_fit_in() {
    let view = view! { <div><Show when=|| true fallback=|| "no">"yes"</Show></div> };
    assert!(html(view).contains("yes"));
}

#[test]
fn attributes_reach_the_outermost_element() {
    let view = view! { <a class="x">"y"</a> };
    let view = view.add_any_attr(leptos::attr::custom::custom_attribute("data-z", "1"));
    assert!(view.to_html().starts_with("<a data-z=\"1\" class=\"x\">"));
}
