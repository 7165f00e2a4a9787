public import Tensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

let tensorExtension = ".safetensors"
let stateFile = "state.json"
private let superseded = ".superseded-"

/// A folder of checkpoints, one folder `step-00001200` each.
///
/// A checkpoint is written into a hidden folder, its manifest last, and takes its name by one rename: whenever the process is
/// killed, what has a name is whole, and the checkpoint before it is untouched. Names of hidden folders say where a save
/// stood: `.partial-…` is being written, `.superseded-…` was a whole checkpoint of a step that is being saved again, and
/// `.removed-…` is being deleted. The next save clears them away.
public struct CheckpointStore: Sendable {
    /// Which checkpoints stay.
    public struct Retention: Sendable, Hashable {
        /// The number of newest checkpoints that stay.
        public var last: Int
        /// Checkpoints of steps that are multiples of this stay for good; `nil` for none.
        public var every: Int?

        public init(last: Int = 3, every: Int? = nil) {
            self.last = max(last, 1)
            self.every = every.map { max($0, 1) }
        }

        /// The steps of `steps` that may go after `current` has been saved.
        func surplus(of steps: [Int], current: Int) -> [Int] {
            steps.sorted().dropLast(last).filter { step in
                step != current && !(every.map { step.isMultiple(of: $0) } ?? false)
            }
        }
    }

    public let folder: String
    public let retention: Retention

    /// The store in `folder`, which the first `save` makes.
    public init(folder: String, retention: Retention = Retention()) {
        self.folder = folder
        self.retention = retention
    }

    /// The steps of which there is a checkpoint, whole or not, in ascending order.
    public var steps: [Int] {
        get throws { try candidates().filter { !$0.isSuperseded }.map(\.step).sorted() }
    }

    // MARK: Saving

    /// Saves a checkpoint, replacing one of the same step, and then removes those that `retention` does not keep.
    ///
    /// - Precondition: `step` is not negative.
    /// - Parameters:
    ///   - arrays: Tensors by file and name; the file `"model"` becomes `model.safetensors`.
    ///   - metadata: Strings for those files' headers, by file.
    ///   - state: All else that a run needs to go on, as JSON.
    /// - Returns: The checkpoint's folder.
    /// - Throws: `FileError` (a full disk; another process saving here), and then all earlier checkpoints are as they were, unless it
    ///   is of what comes after the new one has its name; `CheckpointError.invalidName`; `EncodingError`.
    @discardableResult
    public func save(
        step: Int, arrays: [String: [String: HostArray]], metadata: [String: [String: String]] = [:],
        state: some Encodable
    ) throws -> String {
        precondition(step >= 0, "step \(step) is negative")
        for name in arrays.keys where !isFileName(name) { throw CheckpointError.invalidName(name) }
        try Disk.createFolder(folder)
        let lock = try FolderLock(folder: folder)
        defer { withExtendedLifetime(lock) {} }
        try clearLeftovers()

        let partial = "\(folder)/.partial-\(folderName(step))"
        do {
            try write(to: partial, step: step, arrays: arrays, metadata: metadata, state: state)
            try setAside(step)
            try Disk.rename(partial, to: path(of: step))
        } catch {
            try? Disk.removeFolder(partial)
            // One of the same step that has been set aside.
            let aside = "\(folder)/\(superseded)\(folderName(step))"
            if Disk.exists(aside) && !Disk.exists(path(of: step)) { try? Disk.rename(aside, to: path(of: step)) }
            throw error
        }
        try Disk.flushFolder(folder)

        try discard(superseded + folderName(step))
        for step in retention.surplus(of: try steps, current: step) { try discard(folderName(step)) }
        return path(of: step)
    }

    private func write(
        to partial: String, step: Int, arrays: [String: [String: HostArray]], metadata: [String: [String: String]],
        state: some Encodable
    ) throws {
        try Disk.createFolder(partial)
        var manifest = Manifest(step: step)
        for (name, tensors) in arrays.sorted(by: { $0.key < $1.key }) {
            try manifest.write(name + tensorExtension, in: partial) {
                try Safetensors.write(tensors, metadata: metadata[name] ?? [:], to: $0)
            }
        }
        try manifest.write(stateFile, in: partial) { try $0.write(try json(state)) }
        let list = try OutputFile(path: "\(partial)/\(Manifest.name)")
        try list.write(try json(manifest))
        try list.commit()
    }

    /// Makes room for a new checkpoint of `step`: one that is whole stays at hand until the new one has its name.
    private func setAside(_ step: Int) throws {
        let name = folderName(step)
        guard Disk.exists(path(of: step)) else { return }
        do {
            _ = try Manifest(verifying: path(of: step), step: step)
            try Disk.rename(path(of: step), to: "\(folder)/\(superseded)\(name)")
        } catch is CheckpointError {
            try discard(name)
        }
    }

    /// Removes a checkpoint's folder, which loses its name first: half of one must never look like a whole one.
    private func discard(_ name: String) throws {
        guard Disk.exists("\(folder)/\(name)") else { return }
        let doomed = "\(folder)/.removed-\(name)"
        try Disk.rename("\(folder)/\(name)", to: doomed)
        try Disk.removeFolder(doomed)
    }

    /// Removes what an interrupted save has left, and gives a checkpoint back its name that has lost it for a new one.
    private func clearLeftovers() throws {
        for name in try Disk.entries(of: folder) {
            if name.hasPrefix(".partial-") || name.hasPrefix(".removed-") {
                try Disk.removeFolder("\(folder)/\(name)")
            } else if name.hasPrefix(superseded) {
                let original = "\(folder)/\(name.dropFirst(superseded.count))"
                if Disk.exists(original) {
                    try discard(name)
                } else {
                    try Disk.rename("\(folder)/\(name)", to: original)
                }
            }
        }
    }

    // MARK: Loading

    /// The newest checkpoint that is whole, every file checked against its checksum.
    ///
    /// - Returns: `nil` when the folder has no checkpoints.
    /// - Throws: `CheckpointError.noneIntact` when it has only damaged ones, or `FileError`.
    public func latest() throws -> LoadedCheckpoint? {
        var failures: [CheckpointError] = []
        for candidate in try candidates() {
            do {
                return try load(candidate, skipped: failures)
            } catch let error as CheckpointError {
                failures.append(error)
            }
        }
        if !failures.isEmpty { throw CheckpointError.noneIntact(folder: folder, failures: failures) }
        return nil
    }

    /// The checkpoint of one step.
    ///
    /// - Throws: `CheckpointError` when there is none or it is damaged, or `FileError`.
    public func checkpoint(step: Int) throws -> LoadedCheckpoint {
        guard let candidate = try candidates().first(where: { $0.step == step }) else {
            throw CheckpointError.noSuchStep(folder: folder, step: step, available: try steps)
        }
        return try load(candidate, skipped: [])
    }

    /// The checkpoint whose folder is at `path`, such as `runs/1/checkpoints/step-00001200`.
    ///
    /// - Throws: `CheckpointError` when it is none or damaged, or `FileError`.
    public static func checkpoint(at path: String) throws -> LoadedCheckpoint {
        let parts = path.split(separator: "/")
        guard let name = parts.last, let step = Int(name.dropFirst("step-".count)), name == folderName(step) else {
            throw CheckpointError.notACheckpoint(path: path)
        }
        let parent = parts.dropLast().joined(separator: "/")
        let folder = path.hasPrefix("/") ? "/" + parent : parent.isEmpty ? "." : parent
        return try CheckpointStore(folder: folder).checkpoint(step: step)
    }

    private func load(_ candidate: Candidate, skipped: [CheckpointError]) throws -> LoadedCheckpoint {
        let path = "\(folder)/\(candidate.name)"
        let manifest = try Manifest(verifying: path, step: candidate.step)
        return LoadedCheckpoint(step: candidate.step, path: path, skipped: skipped, manifest: manifest)
    }

    private struct Candidate {
        let name: String
        let step: Int
        let isSuperseded: Bool
    }

    /// The folders that may hold a checkpoint, the best first.
    private func candidates() throws -> [Candidate] {
        guard Disk.exists(folder) else { return [] }
        return try Disk.entries(of: folder).compactMap { name -> Candidate? in
            let isSuperseded = name.hasPrefix(superseded)
            let visible = isSuperseded ? name.dropFirst(superseded.count) : Substring(name)
            guard let step = Int(visible.dropFirst("step-".count)), visible == folderName(step) else { return nil }
            return Candidate(name: name, step: step, isSuperseded: isSuperseded)
        }.sorted { ($0.step, $0.isSuperseded ? 0 : 1) > ($1.step, $1.isSuperseded ? 0 : 1) }
    }

    private func path(of step: Int) -> String { "\(folder)/\(folderName(step))" }
}

extension Manifest {
    fileprivate mutating func write(
        _ name: String, in folder: String, _ body: (OutputFile) throws -> Void
    ) throws {
        let file = try OutputFile(path: "\(folder)/\(name)")
        file.checksum = CRC32()
        try body(file)
        add(name, file)
        try file.commit()
    }
}

/// `step-00001200`: eight digits, so that names sort as the steps do.
private func folderName(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
}

private func isFileName(_ name: String) -> Bool {
    !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == "_" }
}

private func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array(try encoder.encode(value))
}
