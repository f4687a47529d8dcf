//! The console's files, and who may frame them.

use std::path::PathBuf;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Console")]
pub struct Page {
    /// The folder of the browser's files, as `cargo xtask dist` makes it
    #[arg(long, env = "FLOWDECK_SITE_DIR", value_name = "FOLDER", default_value = "target/site")]
    pub site_dir: PathBuf,

    /// Who may show the console in a frame: 'none', 'self' or origins, as in the Content-Security-Policy's frame-ancestors
    #[arg(long, env = "FLOWDECK_FRAME_ANCESTORS", value_name = "SOURCES", default_value = "'self'", value_parser = parse_sources)]
    pub frame_ancestors: String,
}

fn parse_sources(text: &str) -> Result<String, String> {
    let good = |source: &str| {
        matches!(source, "'none'" | "'self'")
            || ((source.starts_with("https://") || source.starts_with("http://"))
                && source.bytes().all(|b| b.is_ascii_alphanumeric() || b":/.-*[]".contains(&b)))
    };
    if text.split_whitespace().next().is_none() || !text.split_whitespace().all(good) {
        return Err("expected 'none', 'self', or origins such as https://portal.example.org, separated by spaces".into());
    }
    Ok(text.to_owned())
}
