//! A new user: a person, who gets a link, or a service account.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{desk::Desk, names};
use crate::{
    api::{
        ApiError,
        flowdeck::user::{self, UserWish},
    },
    browser,
    part::{
        button::Button,
        dynamic::dynamic,
        face::{Notice, quoted, sentence},
        field::TextField,
        pick::{Pair, pick},
    },
};

pub fn form(desk: Desk) -> AnyView {
    let name = RwSignal::new(String::new());
    let service = RwSignal::new(false);
    let admin = RwSignal::new(false);
    let roles = RwSignal::new(Vec::<Pair>::new());
    // The field that was refused, and why.
    let error = RwSignal::new(None::<(bool, String)>);
    let busy = RwSignal::new(false);
    let refuse = move |of_name: bool, text: String| {
        error.try_set(Some((of_name, text)));
        if of_name {
            browser::focus("#user-name");
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let wish = UserWish {
            name: name.get_untracked().trim().to_owned(),
            service: service.get_untracked(),
            admin: admin.get_untracked() && !service.get_untracked(),
            roles: roles.with_untracked(|roles| roles.iter().map(|role| role.0.clone()).collect()),
        };
        if let Some(problem) = problem(&wish.name) {
            return refuse(true, problem.into());
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let made = user::create(&desk.client(), &wish).await;
            busy.try_set(false);
            match made {
                Ok(made) if made.link.is_some() => {
                    desk.again();
                    desk.tell(made);
                }
                Ok(made) => {
                    desk.again();
                    desk.shown.try_set(false);
                    desk.toasts
                        .say(format!("Made {}. Its page leads to API keys for it.", quoted(&made.name)));
                }
                Err(error) => {
                    let (of_name, text) = refused(&error);
                    refuse(of_name, text);
                }
            }
        });
    };
    let of = move |of_name: bool| error.with(|error| error.as_ref().filter(|error| error.0 == of_name).map(|error| error.1.clone()));
    let kind = move |is_service: bool, title: &'static str, about: &'static str| {
        view! {
            <label class="choice"><input type="radio" name="kind" prop:checked=move || service.get() == is_service on:change=move |_| service.set(is_service)/>
                <span><b>{title}</b><span class="hint">{about}</span></span></label>
        }
    };
    let admins = move || {
        (!service.get()).then(|| {
            view! {
                <div class="field"><label class="choice"><input type="checkbox" prop:checked=admin on:change=move |_| admin.update(|on| *on = !*on)/>
                    <span><b>"Administrator"</b><span class="hint">"Passes every check of MLflow, and may use these pages."</span></span></label></div>
            }
        })
    };
    view! {
        <form class="stack" novalidate on:submit=submit>
            {dynamic(move || of(false).map(|text| view! { <Notice class="failed">{text}</Notice> }))}
            <TextField id="user-name" label="Name" value=name error=Signal::derive(move || of(true)) hint="As they sign in: letters, digits, and - _ . @" autocomplete="off" autofocus=true/>
            <fieldset class="field">
                <legend class="label">"It is for"</legend>
                {kind(false, "A person", "You get a link to pass on, by which they set a password that nobody else learns.")}
                {kind(true, "A program", "A service account: nobody knows its password, and it works by API keys.")}
            </fieldset>
            {pick("user-roles", "Roles", "None: what everybody may. More can be given later.", desk.client(), roles, names::roles)}
            {dynamic(admins)}
            <div class="buttons">
                <Button press=move |_| desk.shown.set(false)>"Cancel"</Button>
                <button type="submit" class="button primary" disabled=busy>"Make the user"</button>
            </div>
        </form>
    }
}

/// What is wrong with a name, before the server is asked.
fn problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("A user needs a name."),
        _ if name.len() > 100 => Some("At most 100 letters."),
        "." | ".." => Some("That is no name."),
        _ => {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
            (!name.bytes().all(good)).then_some("Only plain (ASCII) letters, digits, and - _ . @")
        }
    }
}

/// Whether it is the name that was refused, and why.
fn refused(error: &ApiError) -> (bool, String) {
    match error.message.strip_prefix("`name`: ") {
        Some(rest) => (true, sentence(rest)),
        None => (false, sentence(&error.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn names_are_judged_as_the_server_does() {
        assert_eq!(problem("ada.b-c_d@e"), None);
        for name in ["", "a b", "ä", "..", "a/b"] {
            assert!(problem(name).is_some(), "{name}");
        }
    }
}
