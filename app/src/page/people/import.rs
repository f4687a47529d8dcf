//! Grants from a file: first what it would change, then the change.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{desk::Desk, load::Asked, way};
use crate::{
    Site,
    api::{
        self,
        flowdeck::access::{self, EXPORT, Import},
    },
    browser,
    page::{admin::AdminTabs, review::words},
    part::{
        button::Button,
        crumbs::Crumbs,
        dynamic::dynamic,
        face::{Empty, Notice, sentence},
        icon::{self, Icon},
        number::count,
        title::Title,
    },
    route::Route,
};

/// Edits of one change, at the most.
const MOST: usize = 2000;
/// Of these so many are listed.
const SHOWN: usize = 100;
const SAMPLE: &str = "user,resource_type,resource,permission\nada,experiment,vision/baseline,EDIT\nada,registered_model,*,READ\n";

pub fn page() -> AnyView {
    let desk = Desk::new();
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(None::<api::Result<Import>>);
    let busy = RwSignal::new(false);
    let look = move || {
        busy.set(true);
        spawn_local(async move {
            let asked = text.get_untracked();
            let answer = access::import(&desk.client(), &asked).await;
            busy.try_set(false);
            // What was written since is another file.
            if text.try_with_untracked(|text| *text == asked) == Some(true) {
                found.try_set(Some(answer));
            }
        });
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        look();
    };
    let choose = move |event: ev::Event| {
        spawn_local(async move {
            if let Some(read) = browser::chosen_text(&event).await {
                text.try_set(read);
                found.try_set(None);
                look();
            }
        });
    };
    // What was found is no longer what stands there.
    let typed = move |event: ev::Event| {
        text.set(event_target_value(&event));
        found.set(None);
    };
    // What was made is unchanged the next time.
    let again = desk.asked_anew();
    Effect::new(move |before: Option<u32>| {
        let now = again.get();
        if before.is_some_and(|before| before != now) && found.read_untracked().is_some() {
            look();
        }
        now
    });
    let export = Site::expect().href(EXPORT);
    let empty = Memo::new(move |_| text.with(|text| text.trim().is_empty()));
    view! {
        <Title text="Import grants"/>
        <Crumbs way=way(Some(("Users", Route::Users)), "Import grants".into())/>
        <div class="page people import">
            <div class="title"><h1>"Import grants"</h1><span class="facts">"nothing is changed before you have seen what would be"</span></div>
            <AdminTabs here=Route::Users/>
            <div class="without-script lead"><Notice>"This page needs JavaScript. A program can do the same by the REST API."</Notice></div>
            <form class="stack lead needs-script" on:submit=submit>
                <p class="muted">"Lines of "<code>"user,resource_type,resource,permission"</code>". A resource is an experiment's name or id, a model's name, or "<code>"*"</code>" for all; an empty permission takes the grant away. What the file does not name stays. "<a href=export download="grants.csv">"What is granted now"</a>" has the same form."</p>
                <div class="field">
                    <label for="import-text">"Grants, as CSV"</label>
                    <textarea class="input mono" id="import-text" rows="10" spellcheck="false" placeholder=SAMPLE prop:value=text on:input=typed></textarea>
                </div>
                <div class="line wrap">
                    <label class="button file"><Icon icon=icon::File/>"Choose a file"<input class="unseen" type="file" accept=".csv,text/csv,text/plain" on:change=choose/></label>
                    <button type="submit" class="button primary" disabled=move || busy.get() || empty.get()>"Show what it would change"</button>
                </div>
            </form>
            {dynamic(move || found.get().map(|answer| match answer {
                Ok(import) => told(desk, import),
                Err(error) => view! { <div class="lead"><Notice class="failed">{sentence(&error.message)}</Notice></div> },
            }))}
            // Who may not import finds that out here.
            {desk.show("the import of grants", Signal::stored(Asked::Groups), |_| ().into_any())}
            {desk.dialogs()}
        </div>
    }
}

fn told(desk: Desk, import: Import) -> AnyView {
    let Import {
        edits,
        unchanged,
        faulty,
        faults,
    } = import;
    let number = edits.len();
    let bad = (!faults.is_empty()).then(|| {
        let says = match faulty {
            1 => "One line cannot be read, so nothing can be applied yet:".to_owned(),
            many => format!("{} lines cannot be read, so nothing can be applied yet:", count(many)),
        };
        let rows = faults
            .iter()
            .take(SHOWN)
            .map(|fault| view! { <li><b>{format!("Line {}: ", count(fault.line))}</b>{fault.message.clone()}</li> })
            .collect_view();
        let more = (faulty > SHOWN).then(|| view! { <li>{format!("and {} more", count(faulty - SHOWN))}</li> });
        view! { <Notice class="failed"><div class="stack"><p>{says}</p><ul>{rows}{more}</ul></div></Notice> }
    });
    let same = match unchanged {
        0 => String::new(),
        1 => " One line is so already.".into(),
        many => format!(" {} lines are so already.", count(many)),
    };
    if number == 0 && faults.is_empty() {
        let says = if same.is_empty() {
            "The file has no lines.".to_owned()
        } else {
            same.trim().to_owned()
        };
        return view! { <Empty icon=icon::Check title="Nothing would change"><p>{says}</p></Empty> };
    }
    let says = match number {
        0 => String::new(),
        1 => "1 grant would change.".to_owned(),
        many => format!("{} grants would change.", count(many)),
    };
    let large = (number > MOST)
        .then(|| view! { <Notice class="careful">{format!("At most {} can be changed at once: split the file.", count(MOST))}</Notice> });
    let rows = edits
        .iter()
        .take(SHOWN)
        .map(|edit| view! { <li>{words::edit(edit, &Vec::new())}</li> })
        .collect_view();
    let more = (number > SHOWN).then(|| view! { <li class="muted">{format!("and {} more", count(number - SHOWN))}</li> });
    let ready = faults.is_empty() && number > 0 && number <= MOST;
    let apply = ready.then(|| {
        let title = match number {
            1 => "A grant from a file".to_owned(),
            many => format!("{} grants from a file", count(many)),
        };
        view! { <div class="line"><Button class="primary" press=move |_| desk.change(title.clone(), edits.clone())>"Review and apply…"</Button></div> }
    });
    view! { <div class="lead stack" role="status">{bad}<p><b>{says}</b>{same}</p>{large}<ul class="edits">{rows}{more}</ul>{apply}</div> }
}
