//! What is not left half done.

use crate::error::{Error, Result};

/// Does `work` to its end: who hangs up in the middle does not stop it there.
///
/// # Errors
/// As `work`.
pub async fn whole<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(|error| Error::Internal(error.into()))?
}
