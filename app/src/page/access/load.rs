//! What these pages ask for. One kind of question and one of answer for all of them: each kind of its own would be compiled anew.

use std::sync::Arc;

use crate::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        Client, Result,
        flowdeck::{
            access::{self, Access, Matrix, OwnAccess},
            change::{self, ChangePage},
            explain::{self, Explanation},
            grant::{Kind, Target},
            rule::{self, RuleDetail, Rules},
        },
        mlflow::experiment,
    },
    page::trouble::Trouble,
    part::{dynamic::dynamic, face::Loading},
    state::query::Query,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// The address does not say enough.
    Nothing,
    Of(Target, Query),
    /// Why a user may see a thing; without a user, why oneself.
    Why(Option<String>, Target),
    Matrix(Query),
    /// All rules, and the open one by its id.
    Rules(Option<String>),
    Changes(Query),
    Own,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Loaded {
    Nothing,
    Of(Access),
    /// Who has access is not for everybody; what one may do oneself is.
    Refused(String, Option<Explanation>),
    Why(Explanation),
    Matrix(Matrix),
    Rules(Rules, Option<RuleDetail>),
    Changes(ChangePage),
    Own(OwnAccess),
}

#[derive(Clone, Copy)]
pub struct Found(Resource<Result<Loaded>>);

type Draw = dyn Fn(Result<Loaded>) -> Result<AnyView> + Send + Sync;

/// Asks whenever it is another question.
pub fn ask(asked: Memo<Asked>) -> Found {
    let client = expect_context::<Client>();
    Found(Resource::new(
        move || asked.get(),
        move |asked| {
            let client = client.clone();
            async move { load(&client, asked).await }
        },
    ))
}

// === impl Found ===

impl Found {
    pub fn again(self) {
        self.0.refetch();
    }

    /// What came of it. `draw` gives back an error that it knows nothing better to say of than that `what` could not be had.
    pub fn view(self, what: &'static str, draw: impl Fn(Result<Loaded>) -> Result<AnyView> + Send + Sync + 'static) -> AnyView {
        self.boxed(what, Arc::new(draw))
    }

    fn boxed(self, what: &'static str, draw: Arc<Draw>) -> AnyView {
        view! {
            <Transition fallback=|| view! { <Loading/> }>
                {dynamic(move || {
                    let draw = draw.clone();
                    Suspend::new(async move {
                        match draw(self.0.await) {
                            Ok(view) => view,
                            Err(error) => view! { <Trouble what=what error=error retry=move |()| self.again()/> }.into_any(),
                        }
                    })
                })}
            </Transition>
        }
        .into_any()
    }
}

async fn load(client: &Client, asked: Asked) -> Result<Loaded> {
    Ok(match asked {
        Asked::Nothing => Loaded::Nothing,
        // One question and not two: what an answer asks for in turn, Leptos's server may number otherwise than the browser.
        Asked::Of(on, query) => match access::of(client, &on, &query).await {
            Err(error) if error.status == 403 => {
                let own = explain::explain_own(client, &on).await;
                let own = own
                    .map(Some)
                    .or_else(|error| if error.is_deferred() { Err(error) } else { Ok(None) });
                Loaded::Refused(error.message, own?)
            }
            access => Loaded::Of(access?),
        },
        Asked::Why(user, on) => Loaded::Why(why(client, user.as_deref(), on).await?),
        Asked::Matrix(query) => Loaded::Matrix(access::matrix(client, &query).await?),
        Asked::Rules(open) => {
            let open = match open {
                Some(id) => match rule::get(client, &id).await {
                    Ok(detail) => Some(detail),
                    // Deleted since the address was made.
                    Err(error) if error.status == 404 => None,
                    Err(error) => return Err(error),
                },
                None => None,
            };
            Loaded::Rules(rule::list(client).await?, open)
        }
        Asked::Changes(query) => Loaded::Changes(change::list(client, &query).await?),
        Asked::Own => Loaded::Own(access::own(client).await?),
    })
}

/// Experiments are known to people by their names.
async fn why(client: &Client, user: Option<&str>, on: Target) -> Result<Explanation> {
    let is_name = on.kind == Kind::Experiment && !on.is_all() && !on.id.bytes().all(|byte| byte.is_ascii_digit());
    let on = if is_name {
        let found = experiment::named(client, &on.id, 50).await?;
        let named = found.into_iter().find(|found| found.1 == on.id);
        named.map_or(on, |(id, _)| Target::new(Kind::Experiment, id))
    } else {
        on
    };
    match user {
        Some(user) => explain::explain(client, user, &on).await,
        None => explain::explain_own(client, &on).await,
    }
}
