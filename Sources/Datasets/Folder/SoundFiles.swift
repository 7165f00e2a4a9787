/// A folder of sound files of which nothing else is known.
struct SoundFiles: Source {
    let name: String
    let shards: [Shard]

    private let tree: any FileTree
    private let paths: [String]
    private let splits: Splits

    init(_ tree: any FileTree, paths: [String], splits: Splits) {
        self.tree = tree
        self.paths = paths
        self.splits = splits
        name = tree.name
        shards = [Shard(name: "files", recordCount: paths.count, isRandomAccess: true)]
    }

    func open(shard: Int, at ordinal: Int) -> any ShardReader {
        IndexedReader(count: paths.count, at: ordinal) { index in
            let path = paths[index]
            return Result { () throws(RecordFailure) in
                Record(
                    key: path, sound: .file(path: try tree.file(path, key: path)),
                    metadata: Record.Metadata(split: splits.splits(of: path).first))
            }
        }
    }
}

/// Several sources as one, their shards in order.
struct JoinedSource: Source {
    let name: String
    let shards: [Shard]
    private let places: [(source: any Source, shard: Int)]

    init(name: String, _ sources: [any Source]) {
        self.name = name
        places = sources.flatMap { source in source.shards.indices.map { (source, $0) } }
        shards = places.map { $0.source.shards[$0.shard] }
    }

    func open(shard: Int, at ordinal: Int) throws(SourceError) -> any ShardReader {
        try places[shard].source.open(shard: places[shard].shard, at: ordinal)
    }
}
