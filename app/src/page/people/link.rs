//! A one-time link that was just made: told once, for the owner to pass on.

use crate::prelude::*;

use super::desk::Desk;
use crate::{
    browser,
    part::{
        button::Button,
        copy::Copy,
        dynamic::dynamic,
        face::quoted,
        icon::{self, Icon},
        link::Link,
        time::Time,
    },
    route::Route,
};

/// The link of who was made, reset or reactivated on this page.
pub fn card(desk: Desk) -> AnyView {
    let card = move || {
        let made = desk.made.get()?;
        let close = move |_| {
            desk.made.set(None);
            browser::focus("#main");
        };
        let title = format!("A link for {}", quoted(&made.name));
        let to = Route::User { name: made.name.clone() };
        let link = made.link?;
        Some(view! {
            <section class="card told" aria-labelledby="link-title">
                <header><Icon icon=icon::Key/><h2 id="link-title" tabindex="-1">{title}</h2></header>
                <div class="body stack">
                    <p><b>"Copy it now: it is shown this once."</b>" Whoever opens it first sets the password of "<Link to=to><bdi>{made.name}</bdi></Link>", which you never learn. It works once, until it expires "<Time at=link.expires_at/>". If it is lost, a reset makes another."</p>
                    <div class="snippet"><pre tabindex="0" aria-label="The link"><code>{link.href.clone()}</code></pre><Copy text=link.href label="Copy the link"/></div>
                    <div class="line"><Button press=close>"Done"</Button></div>
                </div>
            </section>
        })
    };
    dynamic(card)
}
