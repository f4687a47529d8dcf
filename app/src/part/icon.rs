//! Icons: Lucide, 16 px, in the colour of the text. Only the ones named here are in the bundle. Always beside a word or on a labelled button.

use crate::prelude::*;
use icondata_core::IconData;

pub use icondata_lu::{
    LuArrowDown as ArrowDown, LuArrowUp as ArrowUp, LuBan as Ban, LuBookmark as Bookmark, LuCheck as Check, LuChevronDown as ChevronDown,
    LuChevronRight as ChevronRight, LuCircle as Circle, LuCircleAlert as CircleAlert, LuCircleCheck as CircleCheck, LuCircleX as CircleX,
    LuClock as Clock, LuColumns3 as Columns, LuCopy as Copy, LuDownload as Download, LuEllipsis as More, LuExternalLink as External,
    LuEye as Eye, LuEyeOff as EyeOff, LuFile as File, LuFlaskConical as Flask, LuFolder as Folder, LuInfo as Info, LuKeyRound as Key,
    LuKeyboard as Keyboard, LuLoaderCircle as Loader, LuLock as Lock, LuLogOut as LogOut, LuMonitor as Monitor, LuMoon as Moon,
    LuPencil as Pencil, LuPlus as Plus, LuRotateCw as Retry, LuSearch as Search, LuSun as Sun, LuTag as Tag, LuTrash2 as Trash,
    LuTriangleAlert as Warning, LuUndo2 as Undo, LuUser as User, LuX as Close,
};

#[component]
pub fn Icon(icon: &'static IconData, #[prop(optional)] class: &'static str) -> impl IntoView {
    let class = if class.is_empty() {
        "icon".to_owned()
    } else {
        format!("icon {class}")
    };
    view! { <svg class=class viewBox="0 0 24 24" aria-hidden="true" inner_html=icon.data></svg> }
}
