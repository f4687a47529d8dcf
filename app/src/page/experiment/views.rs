//! Named views: what stands in the address, kept under a name, for oneself or with the team.

use std::collections::BTreeSet;

use crate::prelude::*;
use leptos::{ev, task::spawn_local};

use super::{
    runs::{Opened, Runs},
    view::{EVERY, Place, View},
};
use crate::{
    Site,
    api::{
        ApiError, Client,
        flowdeck::view::{self, Offered, Offers, Opens, Saved, Wish},
    },
    page::Elsewhere,
    part::{
        button::Button,
        dynamic::dynamic,
        icon::{self, Icon},
        menu::Menu,
        toast::Toasts,
    },
    state::{address::Screen as _, query::Query},
};

#[derive(Clone, Copy)]
struct Views {
    place: Place,
    experiment: StoredValue<String>,
    /// The folder that the experiment lies in.
    folder: StoredValue<Option<String>>,
    client: StoredValue<Client>,
    toasts: Toasts,
    offers: RwSignal<Offers>,
    error: RwSignal<Option<ApiError>>,
    /// Who is asking.
    me: StoredValue<String>,
}

/// The address says so where no view is wanted, not even one's default.
const NONE: &str = "-";
const WORDS: [(&str, &str); 3] = [
    ("experiment", "in this experiment"),
    ("folder", "in all experiments of its folder"),
    ("everywhere", "in all experiments"),
];

// === impl View ===

/// The named view that the address says, or that opens where it says nothing.
pub async fn opened(client: &Client, experiment: &str, view: &View) -> Opened {
    if view.saved.as_deref().map_or(*view != View::default(), |id| id == NONE) {
        return Ok(None);
    }
    let offers = view::list(client, experiment).await?;
    let id = view.saved.as_ref().or(offers.default.as_ref());
    Ok(offers.views.into_iter().find(|saved| Some(&saved.id) == id))
}

/// Goes to the view that opens where the address says nothing. Whether that is so.
pub fn open(saved: Option<&Saved>, place: Place) -> bool {
    let Some(saved) = saved.filter(|_| place.now() == View::default()) else {
        return false;
    };
    let view = View::of(saved);
    match use_context::<Elsewhere>() {
        Some(Elsewhere(send)) => send(place.href(&view)),
        None => place.replace(&view),
    }
    true
}

impl View {
    /// What of it is kept under a name: not where one is in it.
    fn state(&self) -> String {
        let state = Self {
            saved: None,
            panel: false,
            tab: super::view::Tab::Runs,
            selected: BTreeSet::new(),
            ..self.clone()
        };
        state.first().query().href().trim_start_matches('?').to_owned()
    }

    fn of(saved: &Saved) -> Self {
        Self {
            saved: Some(saved.id.clone()),
            ..Self::read(&Query::parse(&saved.state))
        }
    }
}

pub fn views(runs: Runs, place: Place) -> AnyView {
    let opened = runs.opened.get_value();
    let is_unknown = opened.is_err();
    // The others come when the page is awake.
    let offers = Offers {
        views: opened.ok().flatten().into_iter().collect(),
        default: None,
    };
    let views = Views {
        place,
        experiment: runs.experiment,
        folder: runs.folder,
        client: runs.client,
        toasts: Toasts::expect(),
        offers: RwSignal::new(offers),
        error: RwSignal::new(None),
        me: StoredValue::new(Site::expect().user),
    };
    Effect::new(move |_| views.load(is_unknown));
    // What is written into the form outlives other changes of the address.
    let current = Memo::new(move |_| views.current());
    let label = move || current.get().map_or_else(|| "Views".to_owned(), |saved| saved.name);
    let changed = move || {
        let changed = current.get().is_some_and(|saved| views.is_changed(&saved));
        changed.then(|| view! { <span class="count">"changed"</span> })
    };
    let list = move || {
        let offers = views.offers.read();
        let now = place.view.read().saved.clone();
        let item = |saved: &Saved| {
            let on = now.as_ref() == Some(&saved.id);
            let default = offers.default.as_ref() == Some(&saved.id);
            let beside = match (views.is_mine(saved), default) {
                (_, true) => "opens first".to_owned(),
                (true, _) if saved.shared => "shared".to_owned(),
                (true, _) => String::new(),
                (false, _) => saved.owner.clone(),
            };
            view! {
                <a class="item" href=place.href(&View::of(saved)) data-noscroll="" aria-current=on.then_some("true")>
                    {on.then(|| view! { <Icon icon=icon::Check/> })}<bdi class="clip">{saved.name.clone()}</bdi><span class="faint small">{beside}</span>
                </a>
            }
        };
        let items = offers.views.iter().map(item).collect::<Vec<_>>();
        let none = items
            .is_empty()
            .then(|| view! { <p class="head">"A view is what stands here now, under a name: query, columns, order, groups, colours."</p> });
        let error = views
            .error
            .get()
            .map(|error| view! { <p class="head">{format!("Views could not be read: {}", error.message)}</p> });
        view! {
            {error}{none}{items}
            <a class="item" href=place.href(&View { saved: Some(NONE.into()), ..View::default() }) data-noscroll="">"Without a view"</a>
        }
    };
    view! {
        <button type="button" class="button needs-script" popovertarget="views-menu"><Icon icon=icon::Bookmark/><bdi class="clip">{label}</bdi>{dynamic(changed)}</button>
        <Menu id="views-menu" label="Views">
            {dynamic(list)}
            <hr/>
            {dynamic(move || views.form(current.get()))}
        </Menu>
    }
    .into_any()
}

// === impl Views ===

impl Views {
    fn load(self, first: bool) {
        let (client, experiment) = (self.client.get_value(), self.experiment.get_value());
        spawn_local(async move {
            match view::list(&client, &experiment).await {
                Ok(offers) => {
                    let opens = offers
                        .views
                        .iter()
                        .find(|saved| Some(&saved.id) == offers.default.as_ref())
                        .cloned();
                    if self.offers.try_set(offers).is_some() {
                        return;
                    }
                    self.error.set(None);
                    if first {
                        open(opens.as_ref(), self.place);
                    }
                }
                Err(error) => drop(self.error.try_set(Some(error))),
            }
        });
    }

    fn is_mine(self, saved: &Saved) -> bool {
        self.me.with_value(|me| *me == saved.owner)
    }

    /// The view that was opened.
    fn current(self) -> Option<Saved> {
        let id = self.place.view.read().saved.clone()?;
        self.offers.read().views.iter().find(|saved| saved.id == id).cloned()
    }

    fn is_changed(self, saved: &Saved) -> bool {
        View::of(saved).state() != self.place.view.read().state()
    }

    fn form(self, current: Option<Saved>) -> AnyView {
        let own = current.filter(|saved| self.is_mine(saved));
        let name = RwSignal::new(own.as_ref().map(|saved| saved.name.clone()).unwrap_or_default());
        let place = RwSignal::new(match own.as_ref().map(|saved| &saved.place) {
            Some(None) => WORDS[2].0.to_owned(),
            Some(Some(Offered::Folder(_))) => WORDS[1].0.to_owned(),
            _ if self.experiment.with_value(|experiment| experiment == EVERY) => WORDS[2].0.to_owned(),
            _ => WORDS[0].0.to_owned(),
        });
        let shared = RwSignal::new(own.as_ref().is_some_and(|saved| saved.shared));
        let opens = RwSignal::new(match own.as_ref().and_then(|saved| saved.default_for) {
            None => "",
            Some(Opens::Owner) => "owner",
            Some(Opens::Everyone) => "everyone",
        });
        let folder = self.folder.get_value();
        let wish = move || Wish {
            name: name.get_untracked().trim().to_owned(),
            state: self.place.now().state(),
            place: match place.get_untracked().as_str() {
                "folder" => self.folder.get_value().map(Offered::Folder),
                "everywhere" => None,
                _ => Some(Offered::Experiment(self.experiment.get_value())),
            },
            shared: shared.get_untracked() || opens.get_untracked() == "everyone",
            default_for: match opens.get_untracked() {
                "owner" => Some(Opens::Owner),
                "everyone" => Some(Opens::Everyone),
                _ => None,
            },
        };
        let kept = StoredValue::new(own.clone());
        let submit = move |event: ev::SubmitEvent| {
            event.prevent_default();
            match kept.get_value() {
                Some(saved) => self.change(saved, wish()),
                None => self.create(wish()),
            }
        };
        let is_own = own.is_some();
        let delete = move |_| {
            if let Some(saved) = kept.get_value() {
                self.delete(saved);
            }
        };
        let every = self.experiment.with_value(|experiment| experiment == EVERY);
        let places = WORDS.into_iter().filter(move |(word, _)| match *word {
            "experiment" => !every,
            "folder" => folder.is_some(),
            _ => true,
        });
        view! {
            <form class="view-form" on:submit=submit>
                <label class="field"><span>"Name of the view"</span><input class="input" maxlength="100" required autocomplete="off" prop:value=name on:input=move |event| name.set(event_target_value(&event))/></label>
                <label class="field"><span>"Offered"</span><select class="input" prop:value=place on:change=move |event| place.set(event_target_value(&event))>
                    {places.map(|(word, says)| view! { <option value=word>{says}</option> }).collect::<Vec<_>>()}
                </select></label>
                <label class="field"><span>"Opens first"</span><select class="input" prop:value=move || opens.get() on:change=move |event| opens.set(match event_target_value(&event).as_str() { "owner" => "owner", "everyone" => "everyone", _ => "" })>
                    <option value="">"no"</option><option value="owner">"for me"</option><option value="everyone">"for everybody"</option>
                </select></label>
                <label class="line"><input type="checkbox" prop:checked=shared on:change=move |event| shared.set(event_target_checked(&event))/>"Shared with all who see it here"</label>
                <div class="line">
                    <Button class="small primary" kind="submit">{if is_own { "Save changes" } else { "Save the view" }}</Button>
                    {is_own.then(|| view! {
                        <Button class="small" press=move |_| self.create(wish())>"Save as another"</Button>
                        <Button class="small danger" icon=icon::Trash press=delete>"Delete"</Button>
                    })}
                </div>
            </form>
        }
        .into_any()
    }

    fn create(self, wish: Wish) {
        if wish.name.is_empty() {
            return;
        }
        let client = self.client.get_value();
        spawn_local(async move {
            match view::create(&client, &wish).await {
                Ok(saved) => {
                    self.toasts.say(format!("Saved the view {}", saved.name));
                    self.opened(&saved);
                }
                Err(error) => self.toasts.failed("The view was not saved", &error),
            }
        });
    }

    fn change(self, saved: Saved, wish: Wish) {
        let client = self.client.get_value();
        spawn_local(async move {
            match view::change(&client, &saved, &wish).await {
                Ok(new) => {
                    self.toasts.say(format!("Saved the view {}", new.name));
                    self.opened(&new);
                }
                Err(error) => {
                    self.toasts.failed("The view is as it was", &error);
                    self.load(false);
                }
            }
        });
    }

    /// The address names it, and the list has it.
    fn opened(self, saved: &Saved) {
        if self.offers.is_disposed() {
            return;
        }
        self.load(false);
        self.place.replace(&View {
            saved: Some(saved.id.clone()),
            ..self.place.now()
        });
    }

    fn delete(self, saved: Saved) {
        let client = self.client.get_value();
        let toasts = self.toasts;
        spawn_local(async move {
            match view::delete(&client, &saved.id).await {
                Ok(()) => {
                    let says = format!("Deleted the view {}", saved.name);
                    if !self.offers.is_disposed() {
                        self.load(false);
                        self.place.replace(&View {
                            saved: None,
                            ..self.place.now()
                        });
                    }
                    toasts.undo(says, move || {
                        let (client, wish) = (client.clone(), saved.wish());
                        spawn_local(async move {
                            match view::create(&client, &wish).await {
                                Ok(_) if !self.offers.is_disposed() => self.load(false),
                                Ok(_) => {}
                                Err(error) => toasts.failed("The view is not back", &error),
                            }
                        });
                    });
                }
                Err(error) => toasts.failed("The view is still there", &error),
            }
        });
    }
}
