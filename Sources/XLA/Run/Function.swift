import Logging
public import PJRT
import Synchronization
public import Tensor

/// A function on trees of tensors that is traced and compiled for each new set of argument shapes, and then run.
///
/// Executables are kept for the most recently used shapes, and on disk by the engine's cache.
public final class Function: Sendable {
    public typealias Body = @Sendable (Tree<Tensor>) -> Tree<Tensor>

    public let name: String
    let engine: Engine
    private let body: Body
    private let placeholders: [String: Tensor]
    private let donated: [String]
    private let capacity: Int
    private let compilation: Compilation
    private let state = Mutex(State())

    private struct State {
        var entries: [String: Entry] = [:]
        /// Keys of `entries`, most recently used last.
        var order: [String] = []
        var traceCount = 0
    }

    private struct Entry: Sendable {
        let executable: LoadedExecutable
        /// The shape of the results, with each leaf's place among the outputs.
        let results: Tree<Int>
    }

    /// - Parameters:
    ///   - name: names the function in the log and the program.
    ///   - placeholders: tensors that stand for arguments inside `body`, by the argument's path: the parameters of a
    ///     module under `parameters.`, say. An argument without one gets a fresh tensor.
    ///   - donating: paths (of leaves or whole subtrees) of arguments that the call may overwrite. A donated buffer cannot be used
    ///     again; its memory goes to the result of the same path and type, else to any result of its type. Without such a result it stays
    ///     as it is.
    ///   - capacity: how many argument shapes to keep executables for.
    ///   - compilation: how it is compiled, unless the engine compiles all quickly.
    public init(
        _ name: String, on engine: Engine, placeholders: [String: Tensor] = [:], donating: [String] = [],
        capacity: Int = 16, compilation: Compilation = .standard, body: @escaping Body
    ) {
        self.compilation = compilation
        self.name = name
        self.engine = engine
        self.placeholders = placeholders
        self.donated = donating
        self.capacity = capacity
        self.body = body
    }

    /// How often the body has been traced: once for each new set of shapes.
    public var traceCount: Int { state.withLock { $0.traceCount } }

    /// Runs the function. Results may still be on their way when this returns; reading one waits for it.
    ///
    /// - Throws: `PJRTError` where compiling or running fails.
    public func callAsFunction(_ arguments: Tree<Buffer>) throws -> Tree<Buffer> {
        let entry = try entry(for: arguments.map { $1.type })
        let outputs = try entry.executable.execute(arguments.leaves)
        return entry.results.map { outputs[$1] }
    }

    /// Compiles for arguments of these types, so that the first call need not.
    public func prepare(_ types: Tree<TensorType>) throws { _ = try entry(for: types) }

    /// What a call with arguments of these types runs; it can say what the compiler thinks that costs, such as `flops` and `bytes accessed`.
    public func executable(for types: Tree<TensorType>) throws -> LoadedExecutable { try entry(for: types).executable }

    /// The program that arguments of these types would run.
    public func program(for types: Tree<TensorType>) -> Program { trace(types).program }

    private func entry(for types: Tree<TensorType>) throws -> Entry {
        let key = zip(types.paths, types.leaves).map { "\($0):\($1)" }.joined(separator: " ")
        // One thread compiles at a time; others that need the same shapes then find the result.
        return try state.withLock { state in
            if let entry = state.entries[key] {
                state.order.removeAll { $0 == key }
                state.order.append(key)
                return entry
            }
            state.traceCount += 1
            let (program, results) = trace(types)
            let entry = Entry(
                executable: try engine.compile(program, name: name, shapes: summary(types), compilation),
                results: results)
            state.entries[key] = entry
            state.order.append(key)
            if state.order.count > capacity {
                engine.log.warning("\(name) has been compiled for more than \(capacity) shapes; dropping the oldest")
                state.entries[state.order.removeFirst()] = nil
            }
            return entry
        }
    }

    private func trace(_ types: Tree<TensorType>) -> (program: Program, results: Tree<Int>) {
        let arguments = types.map { path, type in
            guard let placeholder = placeholders[path] else { return Tensor.input(type, name: path) }
            precondition(
                placeholder.type == type,
                "\(name): argument \(path) is \(type), and its placeholder \(placeholder.type)")
            return placeholder
        }
        let results = body(arguments)
        var next = 0
        let numbered = results.map { _, _ in
            defer { next += 1 }
            return next
        }
        let graph = Graph(inputs: arguments.leaves, outputs: results.leaves)
        let program = Program(
            graph, name: name, aliases: aliases(types, results.map { $1.type }), usesKernels: engine.hasKernels)
        return (program, numbered)
    }

    /// For each donated argument the output that takes its memory.
    private func aliases(_ arguments: Tree<TensorType>, _ results: Tree<TensorType>) -> [Int: Int] {
        if donated.isEmpty { return [:] }
        var free: [(path: String, type: TensorType, index: Int)] = zip(results.paths, results.leaves).enumerated()
            .map { ($1.0, $1.1, $0) }
        var aliases: [Int: Int] = [:]
        let candidates = zip(arguments.paths, arguments.leaves).enumerated().filter { _, argument in
            donated.contains { argument.0 == $0 || argument.0.hasPrefix($0 + ".") }
        }
        for matchesPath in [true, false] {
            for (index, argument) in candidates where aliases[index] == nil {
                let match = free.firstIndex { $0.type == argument.1 && (!matchesPath || $0.path == argument.0) }
                if let match { aliases[index] = free.remove(at: match).index }
            }
        }
        return aliases
    }

    /// The arguments' types, the many parameters of a model counted.
    private func summary(_ types: Tree<TensorType>) -> String {
        let shown = zip(types.paths, types.leaves).filter { placeholders[$0.0] == nil && !$0.0.contains(".") }
        let rest = types.leaves.count - shown.count
        let parts = shown.prefix(8).map { "\($0.0) \($0.1)" } + (rest > 0 ? ["and \(rest) more"] : [])
        return parts.joined(separator: ", ")
    }
}
