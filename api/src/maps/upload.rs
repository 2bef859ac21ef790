//! Storing the inputs of a map, chunk by chunk, while they come: what is in memory is bounded, however many there are.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use badlambda_shared::aws::store::{Condition, NDJSON, StoreError};
use badlambda_shared::limits;
use badlambda_shared::map::{Manifest, MapId};
use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, stream};
use sha2::{Digest, Sha256};
use tokio::task::{JoinError, JoinHandle};

use super::inputs::Lines;
use crate::app::App;
use crate::http::admission::BodyPermit;
use crate::http::body::discard;
use crate::http::error::ApiError;

/// Chunks that are on their way to S3 at once.
const PUTS_AT_ONCE: usize = 4;

/// How large chunks are.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChunkSize {
    /// So many inputs, as was asked for.
    Fixed(u32),
    /// So many, or more, so that a map has no more chunks than it may.
    AtLeast(u32),
}

/// What was stored.
#[derive(Debug)]
pub(super) struct Uploaded {
    /// How many inputs each chunk has.
    pub(super) chunks: Vec<u32>,
    /// The digest of all inputs.
    pub(super) digest: [u8; 32],
}

struct Upload<'a> {
    app: &'a Arc<App>,
    id: &'a MapId,
    size: ChunkSize,
    chunk: Chunk,
    chunks: Vec<u32>,
    total: u64,
    digest: Sha256,
    puts: FuturesUnordered<JoinHandle<Result<(), StoreError>>>,
}

/// The inputs of the chunk that is not full yet, and the room that they take.
struct Chunk {
    bytes: Vec<u8>,
    items: u32,
    permit: BodyPermit,
}

impl ChunkSize {
    /// How many inputs the chunk has that comes after so many.
    fn after(self, chunks: usize) -> u32 {
        match self {
            Self::Fixed(items) => items,
            // The 20,000th has more than a hundred: a million is reached before there are so many.
            Self::AtLeast(items) => items.max(u32::try_from(chunks / 190).unwrap_or(u32::MAX)),
        }
    }
}

/// Stores the inputs in `body`. Where that fails, or the client breaks it off, nothing is left.
pub(super) async fn upload(
    app: &Arc<App>,
    id: &MapId,
    size: ChunkSize,
    body: Body,
) -> Result<Uploaded, ApiError> {
    let mut upload = Upload {
        app,
        id,
        size,
        chunk: Chunk::new(app),
        chunks: vec![],
        total: 0,
        digest: Sha256::new(),
        puts: FuturesUnordered::new(),
    };
    match upload.take(body).await {
        Ok(()) => Ok(Uploaded { chunks: upload.chunks, digest: upload.digest.finalize().into() }),
        Err(error) => {
            while upload.puts.next().await.is_some() {}
            delete_inputs(app, id, upload.chunks.len()).await;
            Err(error)
        }
    }
}

/// Deletes what is stored of a map that nobody was told of, and of which nothing was sent.
pub(super) async fn delete_map(app: &Arc<App>, manifest: &Manifest) {
    if let Err(error) = app.store.delete(&app.store.keys().map(&manifest.id)).await {
        tracing::warn!(%error, "the manifest of a map that was not accepted is left in the bucket");
    }
    delete_inputs(app, &manifest.id, manifest.chunks.len()).await;
}

/// Deletes the inputs of so many chunks.
async fn delete_inputs(app: &Arc<App>, id: &MapId, chunks: usize) {
    let delete = async |chunk| {
        let key = app.store.keys().map_inputs(id, chunk);
        if let Err(error) = app.store.delete(&key).await {
            tracing::warn!(%error, "inputs of a map that was not accepted are left in the bucket");
        }
    };
    let chunks = u32::try_from(chunks).unwrap_or(u32::MAX);
    stream::iter(0..chunks).map(delete).buffer_unordered(limits::READS_AT_ONCE).for_each(async |()| {}).await;
}

impl Upload<'_> {
    async fn take(&mut self, body: Body) -> Result<(), ApiError> {
        let mut pieces = body.into_data_stream();
        let mut lines = Lines::new(self.app.max_input_bytes);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| ApiError::InvalidBody)?;
            if let Err(error) = self.take_piece(&mut lines, &piece).await {
                discard(pieces).await;
                return Err(error);
            }
        }
        let mut inputs = vec![];
        lines.end(|line| {
            inputs.push(Bytes::copy_from_slice(line));
            Ok(())
        })?;
        self.take_inputs(&lines, inputs).await?;
        self.send_chunk().await?;
        if self.chunks.is_empty() {
            return Err(ApiError::in_body(&[], "a map needs an input: JSON, one on each line"));
        }
        while let Some(put) = self.puts.next().await {
            stored(put)?;
        }
        Ok(())
    }

    async fn take_piece(&mut self, lines: &mut Lines, piece: &[u8]) -> Result<(), ApiError> {
        self.chunk.permit.take(piece.len())?;
        let mut inputs = vec![];
        lines.push(piece, |line| {
            inputs.push(Bytes::copy_from_slice(line));
            Ok(())
        })?;
        self.take_inputs(lines, inputs).await
    }

    async fn take_inputs(&mut self, lines: &Lines, inputs: Vec<Bytes>) -> Result<(), ApiError> {
        for input in inputs {
            if self.total == limits::MAX_MAP_ITEMS {
                let most = limits::MAX_MAP_ITEMS;
                return Err(lines.wrong(&format!("a map has at most {most} inputs; send several maps")));
            }
            let is_full = self.chunk.items >= self.size.after(self.chunks.len())
                || (self.chunk.items > 0 && self.chunk.bytes.len() + input.len() >= limits::CHUNK_BYTES);
            if is_full {
                self.send_chunk().await?;
            }
            if self.chunks.len() >= limits::MAX_MAP_CHUNKS as usize {
                let most = limits::MAX_MAP_CHUNKS;
                return Err(lines.wrong(&format!(
                    "a map has at most {most} chunks; make `chunk` larger, or leave it out"
                )));
            }
            self.digest.update(&input);
            self.digest.update(b"\n");
            self.chunk.bytes.extend_from_slice(&input);
            self.chunk.bytes.push(b'\n');
            self.chunk.items += 1;
            self.total += 1;
        }
        Ok(())
    }

    /// Has the chunk stored, if there is something in it.
    async fn send_chunk(&mut self) -> Result<(), ApiError> {
        if self.chunk.items == 0 {
            return Ok(());
        }
        while self.puts.len() >= PUTS_AT_ONCE {
            if let Some(put) = self.puts.next().await {
                stored(put)?;
            }
        }
        let Chunk { bytes, items, permit } = std::mem::replace(&mut self.chunk, Chunk::new(self.app));
        let number = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        let (store, key) = (self.app.store.clone(), self.app.store.keys().map_inputs(self.id, number));
        self.chunks.push(items);
        self.puts.push(tokio::spawn(async move {
            let put = store.put(&key, bytes, NDJSON, Condition::Always).await;
            drop(permit);
            put.map(drop)
        }));
        Ok(())
    }
}

impl Chunk {
    fn new(app: &App) -> Self {
        Self { bytes: vec![], items: 0, permit: app.admission.for_body() }
    }
}

fn stored(put: Result<Result<(), StoreError>, JoinError>) -> Result<(), ApiError> {
    put.map_err(|error| ApiError::Internal(format!("inputs were not stored: {error}")))?
        .map_err(ApiError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_inputs_make_no_more_chunks_than_a_map_may_have() {
        let (mut chunks, mut items) = (0, 0);
        while items < limits::MAX_MAP_ITEMS {
            items += u64::from(ChunkSize::AtLeast(1).after(chunks));
            chunks += 1;
        }
        assert!(chunks <= limits::MAX_MAP_CHUNKS as usize, "{chunks}");
        assert_eq!(ChunkSize::AtLeast(500).after(1999), 500);
        assert_eq!(ChunkSize::Fixed(1).after(19_000), 1);
    }
}
