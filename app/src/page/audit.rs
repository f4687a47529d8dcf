//! The audit: every call, searched on the server, page by page, live, and as a file.

mod export;
mod filter;
mod rows;
mod search;

use crate::prelude::*;

use self::search::{Page, Wanted};
use super::{admin::AdminTabs, set_status, trouble::Trouble};
use crate::{
    Site,
    api::Client,
    part::{
        clock::Clock,
        crumbs::{Crumb, Crumbs},
        dynamic::dynamic,
        face::{Loading, Notice, sentence},
        title::Title,
    },
    route::Route,
    state::address::Address,
};

#[component]
pub fn Audit() -> impl IntoView {
    let address = Address::here();
    let (client, user) = (expect_context::<Client>(), Site::expect().user);
    let clock = Clock::expect();
    // Other keys of the address, such as the row that is open, ask for nothing new.
    let wanted = Memo::new(move |_| address.query().with(Wanted::read));
    let attempt = RwSignal::new(0);
    let found = Resource::new(
        move || (wanted.get(), attempt.get()),
        move |(wanted, _)| {
            let (client, user) = (client.clone(), user.clone());
            let now = clock.now();
            async move { search::search(&client, &wanted, &user, now).await }
        },
    );
    let again = Callback::new(move |()| attempt.update(|times| *times += 1));
    view! {
        <Title text="Audit"/>
        <Crumbs way=vec![Crumb::link("Admin", Route::Admin.href()), Crumb::here("Audit")]/>
        <div class="page audit">
            <div class="title"><h1>"Audit"</h1><span class="facts">"every call that names a user, or fails to"</span><div class="actions">{export::menu(address)}</div></div>
            <AdminTabs here=Route::Audit/>
            {filter::form(address)}
            <Transition fallback=|| view! { <Loading rows=12/> }>
                {dynamic(move || Suspend::new(async move {
                    match found.await {
                        Ok(page) => known(address, page),
                        Err(error) if error.status == 400 => refused(&error.message),
                        Err(error) => view! { <Trouble what="the audit" error=error retry=again/> }.into_any(),
                    }
                }))}
            </Transition>
        </div>
    }
}

fn known(address: Address, page: Page) -> AnyView {
    let own = page.own.then(|| {
        view! { <div class="lead own"><Notice>"You see your own calls. Administrators see everybody's."</Notice></div> }
    });
    view! { {own}{rows::rows(address, page)} }.into_any()
}

/// A filter that cannot be, told where the filters are. The server's sentence begins with its name: "status= is like 404 or 4xx".
fn refused(message: &str) -> AnyView {
    set_status(404);
    let says = match message.split_once('=') {
        Some((name, what)) => format!("The filter “{name}”{what}."),
        None => sentence(message),
    };
    view! { <div class="lead"><Notice class="failed">{says}</Notice></div> }
}
