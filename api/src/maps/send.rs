//! Putting a map on the queue: a message for each of its chunks.

use std::sync::Arc;
use std::time::Duration;

use badlambda_shared::execution::enqueue::chunk_message;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::limits;
use badlambda_shared::map::{ChunkRequest, Manifest};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::app::App;
use crate::http::error::ApiError;

/// Returns once the queue has all chunks.
pub(super) async fn send_all(app: &Arc<App>, manifest: &Manifest, trace: &Trace) -> Result<(), ApiError> {
    let send = |chunk: ChunkRequest| async move {
        let message = chunk_message(&chunk, None, Duration::ZERO, trace.clone())?;
        app.batcher.send(message).await?;
        Ok(())
    };
    stream::iter(chunks(manifest)).map(send).buffer_unordered(limits::BATCH_SENDS).try_collect().await
}

fn chunks(manifest: &Manifest) -> impl Iterator<Item = ChunkRequest> {
    let Manifest { id, function, version, revision, submitted_at, .. } = manifest;
    manifest.places().map(|(chunk, first, items)| ChunkRequest {
        map: id.clone(),
        chunk,
        first,
        items,
        function: function.clone(),
        version: *version,
        revision: revision.clone(),
        submitted_at: *submitted_at,
    })
}

#[cfg(test)]
mod tests {
    use badlambda_shared::function::name::FunctionName;
    use badlambda_shared::map::MapId;
    use badlambda_shared::timestamp::Timestamp;

    use super::*;

    #[test]
    fn each_chunk_begins_where_the_one_before_ended() {
        let function: FunctionName = "hello".parse().unwrap();
        let manifest = Manifest {
            id: MapId::issue(&function),
            function,
            version: 3,
            revision: "0123456789abcdef".repeat(4).parse().unwrap(),
            submitted_at: Timestamp::now(),
            chunks: vec![3, 3, 1],
        };
        let places: Vec<_> = chunks(&manifest).map(|chunk| (chunk.chunk, chunk.first, chunk.items)).collect();
        assert_eq!(places, [(0, 0, 3), (1, 3, 3), (2, 6, 1)]);
    }
}
