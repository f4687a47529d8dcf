//! What can be done with the selected runs, and how far it is.

use crate::prelude::*;
use leptos::ev;

use super::{
    Sheet,
    act::{Change, Work, renamed},
    export::Format,
    lines::HIDDEN,
};
use crate::{
    page::{
        compare,
        experiment::view::{SELECTED, View},
    },
    part::{
        button::Button,
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
        number::count,
    },
    table::column::{Family, Name},
};

/// What is being filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Tag,
    Name,
}

pub fn chosen(sheet: Sheet) -> AnyView {
    let many = Memo::new(move |_| {
        let selection = sheet.selection.read();
        sheet.drawn.track();
        sheet.store.with_value(|store| selection.count(store))
    });
    let hidden = Memo::new(move |_| sheet.all_hidden());
    // What is written into a form outlives other changes of the address.
    let deleted = Memo::new(move |_| sheet.place.view.read().deleted);
    let form = RwSignal::new(None::<Form>);
    let work = move || sheet.work.get().map(|work| progress(sheet, &work));
    view! {
        {dynamic(move || (many.get() > 0).then(|| acts(sheet, many.get(), hidden.get(), deleted.get(), form)))}
        {dynamic(work)}
    }
    .into_any()
}

fn acts(sheet: Sheet, many: usize, hidden: bool, deleted: bool, form: RwSignal<Option<Form>>) -> AnyView {
    let toggle =
        move |which: Form| move |_: ev::MouseEvent| form.update(|form| *form = if *form == Some(which) { None } else { Some(which) });
    let delete = move |_| match deleted {
        true => sheet.start("Restored", sheet.tasks(|_, _, _| Change::Restore)),
        false => sheet.start("Deleted", sheet.tasks(|_, _, _| Change::Delete)),
    };
    let hide = move |_| match hidden {
        true => sheet.start("Brought back", sheet.tasks(|_, _, _| Change::Tag(HIDDEN.into(), None))),
        false => sheet.start(
            "Moved out of sight",
            sheet.tasks(|_, _, _| Change::Tag(HIDDEN.into(), Some("true".into()))),
        ),
    };
    let compare = move |_| {
        let baseline = sheet.tasks(|_, _, _| Change::Restore).into_iter().next().map(|task| task.run);
        let view = sheet.place.now();
        sheet.place.go(&View { baseline, ..view });
    };
    let word = if many == 1 { "run" } else { "runs" };
    view! {
        <div class="toolbar chosen" role="toolbar" aria-label="Selected runs">
            <b>{format!("{} {word} selected", count(many))}</b>
            {(many > SELECTED).then(|| view! { <span class="faint small">{format!("A copied link selects {} runs at most", count(SELECTED))}</span> })}
            {(many > 1).then(|| view! { <a class="button small" href=move || side_by_side(sheet)><Icon icon=icon::Columns/>"Compare"</a> })}
            <Button class="small" icon=icon::Tag press=toggle(Form::Tag)>"Tag"</Button>
            <Button class="small" icon=icon::Pencil press=toggle(Form::Name)>"Rename"</Button>
            {if deleted {
                view! { <Button class="small" icon=icon::Undo press=delete>"Restore"</Button> }.into_any()
            } else {
                view! { <Button class="small danger" icon=icon::Trash press=delete>"Delete"</Button> }.into_any()
            }}
            <Button class="small" icon=if hidden { icon::Eye } else { icon::EyeOff } press=hide>{if hidden { "Back into sight" } else { "Out of sight" }}</Button>
            {(many == 1).then(|| view! { <Button class="small" press=compare>"Compare others with it"</Button> })}
            <button type="button" class="button small" popovertarget="export-menu"><Icon icon=icon::Download/>"Export"</button>
            <Menu id="export-menu" label="Export">
                <button type="button" class="item" on:click=move |_| sheet.export(Format::Csv)>"CSV"</button>
                <button type="button" class="item" on:click=move |_| sheet.export(Format::Lines)>"JSON Lines"</button>
            </Menu>
            <Button class="small quiet" press=move |_| sheet.choose_none()>"Clear the selection"</Button>
            {dynamic(move || form.get().map(|which| match which {
                Form::Tag => tag_form(sheet, form),
                Form::Name => name_form(sheet, form),
            }))}
        </div>
    }
    .into_any()
}

// === impl Sheet ===

impl Sheet {
    /// Whether all selected runs are out of sight already.
    fn all_hidden(self) -> bool {
        let selection = self.selection.read();
        self.drawn.track();
        let name = Name::new(Family::Tag, HIDDEN);
        self.store
            .with_value(|store| selection.rows(store).iter().all(|row| !store.cell(row, &name).is_missing()))
    }
}

/// The address of the selected runs side by side: as they are sorted, then those that the query does not mean.
fn side_by_side(sheet: Sheet) -> String {
    sheet.selection.track();
    let runs = sheet.store.with_value(|store| {
        let rows = sheet.chosen_rows(store).into_iter().take(compare::MOST);
        rows.map(|row| store.run_id(row).to_owned()).collect()
    });
    compare::href(sheet.runs.experiment.get_value(), runs, sheet.place.now().baseline)
}

fn tag_form(sheet: Sheet, form: RwSignal<Option<Form>>) -> AnyView {
    let (key, value) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let key = key.get_untracked().trim().to_owned();
        if key.is_empty() {
            return;
        }
        let value = value.get_untracked();
        form.set(None);
        sheet.start("Tagged", sheet.tasks(|_, _, _| Change::Tag(key.clone(), Some(value.clone()))));
    };
    view! {
        <form class="line act-form" on:submit=submit>
            <input class="input" aria-label="Key of the tag" placeholder="Key" maxlength="250" required autofocus prop:value=key on:input=move |event| key.set(event_target_value(&event))/>
            <input class="input" aria-label="Value of the tag" placeholder="Value" maxlength="5000" prop:value=value on:input=move |event| value.set(event_target_value(&event))/>
            <Button class="small primary" kind="submit">"Set the tag"</Button>
        </form>
    }
    .into_any()
}

fn name_form(sheet: Sheet, form: RwSignal<Option<Form>>) -> AnyView {
    let pattern = RwSignal::new("{name}".to_owned());
    let first = move || {
        let pattern = pattern.get();
        let task = sheet
            .tasks(|number, _, name| Change::Name(renamed(&pattern, number, name)))
            .into_iter()
            .next();
        task.map(|task| match task.change {
            Change::Name(name) => format!("{} becomes {name}", task.name),
            _ => String::new(),
        })
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let pattern = pattern.get_untracked();
        if pattern.trim().is_empty() {
            return;
        }
        form.set(None);
        sheet.start(
            "Renamed",
            sheet.tasks(|number, _, name| Change::Name(renamed(&pattern, number, name))),
        );
    };
    view! {
        <form class="line act-form" on:submit=submit>
            <input class="input" aria-label="New name" title="{name} is the name of before, {n} counts from 1" maxlength="250" required autofocus prop:value=pattern on:input=move |event| pattern.set(event_target_value(&event))/>
            <Button class="small primary" kind="submit">"Rename"</Button>
            <span class="faint small"><bdi>{first}</bdi></span>
        </form>
    }
    .into_any()
}

fn progress(sheet: Sheet, work: &Work) -> AnyView {
    let failed = work.failed.clone();
    let many = failed.len();
    let at = work.done + many;
    let list = failed
        .into_iter()
        .take(20)
        .map(|(task, error)| view! { <li><bdi>{task.name}</bdi>": "{error.message}</li> })
        .collect::<Vec<_>>();
    let more = (many > 20).then(|| view! { <li>{format!("and {} more", count(many - 20))}</li> });
    view! {
        <div class="toolbar work" role="status">
            <span>{work.says()}</span>
            {if work.is_over {
                view! {
                    <span class="danger">{format!("{} failed", count(many))}</span>
                    <Button class="small" icon=icon::Retry press=move |_| sheet.retry_failed()>"Try these again"</Button>
                    <Button class="small quiet" press=move |_| sheet.work.set(None)>"Close"</Button>
                    <ul class="failures">{list}{more}</ul>
                }.into_any()
            } else {
                view! {
                    <progress max=work.total value=at></progress>
                    <Button class="small" press=move |_| sheet.stop_work()>"Stop"</Button>
                }.into_any()
            }}
        </div>
    }
    .into_any()
}
