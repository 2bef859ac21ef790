//! Dead letters.

use badlambda_shared::dead_letters::{DeadLetterCount, RedrivenDeadLetter, ShownDeadLetter};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::error::Error;
use crate::lines::Lines;
use crate::page::{Page, PageRange, with};
use crate::request::Client;

/// Which dead letters are meant; without either, all.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeadLetterFilter {
    /// Those with this `kind`, or with this in their reason's sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Those of this function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

impl Client {
    /// Dead letters, in no order. There is one page of them: `complete` tells whether there may be more.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn list_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: Option<usize>,
    ) -> Result<Page<ShownDeadLetter>, Error> {
        let request = self.to(Method::GET, &["v1", "dead-letters"]).query(filter);
        self.read(PageRange { limit, cursor: None }.of(request)).await
    }

    /// One, with its whole body.
    ///
    /// # Errors
    /// Among others `dead_letter_not_found`.
    pub async fn get_dead_letter(&self, id: &str) -> Result<ShownDeadLetter, Error> {
        self.read(self.to(Method::GET, &["v1", "dead-letters", id])).await
    }

    /// Sends one back to the queue.
    ///
    /// # Errors
    /// Among others `dead_letter_not_found` and `other_queue`.
    pub async fn redrive_dead_letter(&self, id: &str) -> Result<RedrivenDeadLetter, Error> {
        self.read(self.to(Method::POST, &["v1", "dead-letters", id, "redrive"])).await
    }

    /// Deletes one.
    ///
    /// # Errors
    /// Among others `dead_letter_not_found`.
    pub async fn delete_dead_letter(&self, id: &str) -> Result<(), Error> {
        self.ask(self.to(Method::DELETE, &["v1", "dead-letters", id])).await.map(drop)
    }

    /// Sends many back, so many a second: lines that are a `DeadLetterLine` each, as they come. To stop it, drop them.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn redrive_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        per_second: Option<u32>,
    ) -> Result<Lines, Error> {
        let request = self.redrive(filter);
        self.ask(with(request, "per_second", per_second)).await.map(Lines::of)
    }

    /// How many [`Client::redrive_dead_letters`] would send back.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn count_dead_letters_to_redrive(
        &self,
        filter: &DeadLetterFilter,
    ) -> Result<DeadLetterCount, Error> {
        self.read(self.redrive(filter).query(&[("dry_run", true)])).await
    }

    /// Deletes many: lines that are a `DeadLetterLine` each, as they come. To stop it, drop them.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn delete_dead_letters(&self, filter: &DeadLetterFilter) -> Result<Lines, Error> {
        self.ask(self.delete(filter)).await.map(Lines::of)
    }

    /// How many [`Client::delete_dead_letters`] would delete.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn count_dead_letters_to_delete(
        &self,
        filter: &DeadLetterFilter,
    ) -> Result<DeadLetterCount, Error> {
        self.read(self.delete(filter).query(&[("dry_run", true)])).await
    }

    fn redrive(&self, filter: &DeadLetterFilter) -> RequestBuilder {
        self.to(Method::POST, &["v1", "dead-letters", "redrive"]).query(filter)
    }

    fn delete(&self, filter: &DeadLetterFilter) -> RequestBuilder {
        self.to(Method::DELETE, &["v1", "dead-letters"]).query(filter)
    }
}
