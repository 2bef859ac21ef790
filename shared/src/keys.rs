//! Every S3 key of the system. `prefix` is the configured common prefix, with its slash, or empty.

use crate::execution::id::ExecutionId;
use crate::function::CodeType;
use crate::function::name::LayerName;
use crate::function::name::{FunctionName, Revision};
use crate::index::{Hour, SegmentName};
use crate::map::MapId;
use crate::timestamp::Timestamp;

/// Makes the keys of one deployment.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys under `prefix`; a slash is added where one is missing.
    pub fn under(prefix: &str) -> Self {
        let trimmed = prefix.trim_matches('/');
        let prefix = if trimmed.is_empty() { String::new() } else { format!("{trimmed}/") };
        Self { prefix }
    }

    /// Under which all functions are listed.
    pub fn functions(&self) -> String {
        format!("{}functions/", self.prefix)
    }

    /// A function's manifest.
    pub fn manifest(&self, function: &FunctionName) -> String {
        format!("{}functions/{function}/function.json", self.prefix)
    }

    /// What workers may run of a function that has reserved concurrency.
    pub fn shares(&self, function: &FunctionName) -> String {
        format!("{}concurrency/{function}.json", self.prefix)
    }

    /// Which functions get messages that name none.
    pub fn event_sources(&self) -> String {
        format!("{}event-sources/queue.json", self.prefix)
    }

    /// Under which a function's versions are listed.
    pub fn versions(&self, function: &FunctionName) -> String {
        format!("{}functions/{function}/versions/", self.prefix)
    }

    /// One immutable version.
    pub fn version(&self, function: &FunctionName, number: u32) -> String {
        format!("{}functions/{function}/versions/{number}.json", self.prefix)
    }

    /// Under which the revisions of a function are listed that was created at `created_at`. Those of another one that had
    /// its name before lie elsewhere.
    pub fn revisions(&self, function: &FunctionName, created_at: Timestamp) -> String {
        format!("{}functions/{function}/revisions/{}/", self.prefix, created_at.unix_ms())
    }

    /// One revision of that function.
    pub fn revision(&self, function: &FunctionName, created_at: Timestamp, revision: &Revision) -> String {
        format!("{}{revision}.json", self.revisions(function, created_at))
    }

    /// Ruby code, stored once per content.
    pub fn code(&self, sha256: &str, code_type: CodeType) -> String {
        let extension = match code_type {
            CodeType::Ruby => "rb",
            CodeType::Zip => "zip",
        };
        format!("{}code/{sha256}.{extension}", self.prefix)
    }

    /// Under which all layers lie, each in a folder of its own.
    pub fn layers(&self) -> String {
        format!("{}layers/", self.prefix)
    }

    /// Under which a layer's versions are listed, the newest first.
    pub fn layer_versions(&self, layer: &LayerName) -> String {
        format!("{}{layer}/", self.layers())
    }

    /// A version of a layer. Its zip is stored as [code](Self::code) is.
    pub fn layer_version(&self, layer: &LayerName, number: u32) -> String {
        format!("{}{:010}.json", self.layer_versions(layer), u32::MAX - number)
    }

    /// The number of the layer's version that lies under this key.
    pub fn layer_version_of(&self, key: &str) -> Option<u32> {
        let rank: u32 = key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()?;
        Some(u32::MAX - rank)
    }

    /// Code and configuration of one-shot executions, stored once per content.
    pub fn one_shot(&self, revision: &Revision) -> String {
        format!("{}runs/{revision}.json", self.prefix)
    }

    /// An execution's record.
    pub fn record(&self, function: &FunctionName, id: &ExecutionId) -> String {
        self.of_execution(function, id, "record.json")
    }

    /// An input that was too large for the queue.
    pub fn input(&self, function: &FunctionName, id: &ExecutionId) -> String {
        self.of_execution(function, id, "input.json")
    }

    /// The result of the attempt that came first.
    pub fn result(&self, function: &FunctionName, id: &ExecutionId) -> String {
        self.of_execution(function, id, "result.json")
    }

    /// The logs of the attempt that came first.
    pub fn logs(&self, function: &FunctionName, id: &ExecutionId) -> String {
        self.of_execution(function, id, "logs.txt")
    }

    /// Which execution an `Idempotency-Key` stands for; `key_sha256` is the key's SHA-256 in hexadecimal.
    pub fn idempotency(&self, function: &FunctionName, key_sha256: &str) -> String {
        format!("{}idempotency/{function}/{key_sha256}", self.prefix)
    }

    /// Under which all maps lie, each in a folder of its own. Their ids sort the newest first.
    pub fn maps(&self) -> String {
        format!("{}maps/", self.prefix)
    }

    /// A map's manifest.
    pub fn map(&self, map: &MapId) -> String {
        self.of_map(map, "map.json")
    }

    /// That a map is cancelled.
    pub fn map_cancelled(&self, map: &MapId) -> String {
        self.of_map(map, "cancelled.json")
    }

    /// The inputs of a chunk of a map.
    pub fn map_inputs(&self, map: &MapId, chunk: u32) -> String {
        self.of_map(map, &format!("inputs/{chunk:06}.ndjson"))
    }

    /// Under which a map's results are listed, by chunk and part.
    pub fn map_results(&self, map: &MapId) -> String {
        self.of_map(map, "results/")
    }

    /// A part of a chunk's results.
    pub fn map_part(&self, map: &MapId, chunk: u32, part: u32) -> String {
        format!("{}{chunk:06}-{part:06}.ndjson", self.map_results(map))
    }

    /// The chunk and the part of its results that lie under this key.
    pub fn map_part_of(&self, key: &str) -> Option<(u32, u32)> {
        let name = key.rsplit('/').next()?.strip_suffix(".ndjson")?;
        let (chunk, part) = name.split_once('-')?;
        Some((chunk.parse().ok()?, part.parse().ok()?))
    }

    /// The body of a dead-lettered message that left no room for the reason beside it.
    pub fn dead_letter(&self, message_id: &str) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        format!("{}dead-letters/{}", self.prefix, message_id.chars().map(safe).collect::<String>())
    }

    /// Under which all executions lie.
    pub fn executions(&self) -> String {
        format!("{}executions/", self.prefix)
    }

    /// Under which the index lies, by date and hour.
    pub fn index(&self) -> String {
        format!("{}index/", self.prefix)
    }

    /// Under which the index's segments of an hour lie, the newest first.
    pub fn index_hour(&self, hour: Hour) -> String {
        format!("{}index/{hour}/", self.prefix)
    }

    /// A segment of the index.
    pub fn segment(&self, name: &SegmentName) -> String {
        format!("{}{}", self.index_hour(name.hour()), name.file_name())
    }

    /// The hour whose segments lie under this prefix.
    pub fn hour_of(&self, folder: &str) -> Option<Hour> {
        folder.strip_prefix(&self.index())?.trim_end_matches('/').parse().ok()
    }

    /// The segment under this key.
    pub fn segment_of(&self, key: &str) -> Option<SegmentName> {
        key.rsplit('/').next()?.parse().ok()
    }

    /// What a worker runs.
    pub fn running(&self, worker: &str) -> String {
        format!("{}index/running/{worker}", self.prefix)
    }

    fn of_map(&self, map: &MapId, below: &str) -> String {
        format!("{}maps/{map}/{below}", self.prefix)
    }

    fn of_execution(&self, function: &FunctionName, id: &ExecutionId, file: &str) -> String {
        format!("{}executions/{}/{function}/{id}/{file}", self.prefix, id.shard())
    }
}

/// A key beside `key` for an attempt that finds the name taken: `result.json` becomes `result.NONCE.json`.
pub fn beside(key: &str, nonce: &str) -> String {
    match key.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{nonce}.{extension}"),
        None => format!("{key}.{nonce}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_contract() {
        let keys = Keys::under("/team/");
        let function = "hello".parse().unwrap();
        let id: ExecutionId = "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11".parse().unwrap();
        assert_eq!(keys.manifest(&function), "team/functions/hello/function.json");
        assert_eq!(keys.version(&function, 3), "team/functions/hello/versions/3.json");
        assert_eq!(keys.shares(&function), "team/concurrency/hello.json");
        let (created_at, revision) = (Timestamp::from_unix_ms(5).unwrap(), "0123456789abcdef".repeat(4));
        assert_eq!(
            keys.revision(&function, created_at, &revision.parse().unwrap()),
            format!("team/functions/hello/revisions/5/{revision}.json")
        );
        assert_eq!(
            keys.record(&function, &id),
            format!("team/executions/{}/hello/{id}/record.json", id.shard())
        );
        let map: MapId = id.as_str().parse().unwrap();
        let part = keys.map_part(&map, 17, 1);
        assert_eq!(part, format!("team/maps/{map}/results/000017-000001.ndjson"));
        assert_eq!(keys.map_part_of(&part), Some((17, 1)));
        assert_eq!(keys.map_inputs(&map, 17), format!("team/maps/{map}/inputs/000017.ndjson"));
        let code = |code_type| Keys::under("").code("ab", code_type);
        assert_eq!([code(CodeType::Ruby), code(CodeType::Zip)], ["code/ab.rb", "code/ab.zip"]);
        let layer = "tools".parse().unwrap();
        let (first, second) = (keys.layer_version(&layer, 1), keys.layer_version(&layer, 2));
        assert_eq!(second, "team/layers/tools/4294967293.json");
        assert!(second < first);
        assert_eq!(keys.layer_version_of(&second), Some(2));
        assert_eq!(keys.dead_letter("../6f1c"), "team/dead-letters/___6f1c");
        assert_eq!(beside("a/b/result.json", "x1"), "a/b/result.x1.json");
    }
}
