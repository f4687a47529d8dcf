//! There is no such page.

use crate::prelude::*;

use super::set_status;
use crate::{
    part::{
        crumbs::{Crumb, Crumbs},
        face::Empty,
        icon,
        link::Link,
        title::Title,
    },
    route::Route,
};

#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    let way = vec![Crumb::link("Experiments", Route::Experiments.href()), Crumb::here("Not found")];
    view! {
        <Title text="Not found"/>
        <Crumbs way=way/>
        <div class="page">
            <Empty whole=true icon=icon::Search title="There is no page at this address">
                <p>"The link may be old or cut off. Experiments and runs keep their addresses when they are renamed."</p>
                <div class="actions"><Link to=Route::Experiments class="button primary">"Go to the experiments"</Link></div>
            </Empty>
        </div>
    }
}
