internal import Native
public import Tensor

/// Something that runs graphs: value tests go through every one.
public protocol TestBackend: Sendable {
    var name: String { get }
    func run(_ graph: Graph, _ inputs: [HostArray]) throws -> [HostArray]
    /// The outputs of each call.
    func run(_ calls: [(graph: Graph, inputs: [HostArray])]) throws -> [[HostArray]]
}

extension TestBackend {
    public func run(_ calls: [(graph: Graph, inputs: [HostArray])]) throws -> [[HostArray]] {
        try calls.map { try run($0.graph, $0.inputs) }
    }
}

public enum TestBackends {
    public static let reference = ReferenceBackend()
    public static let xla = XLABackend()
    /// Every backend of this machine.
    public static let all: [any TestBackend] = [
        reference, xla, PlannedBackend(constants: false, threads: 1), PlannedBackend(constants: true, threads: 2),
    ]
}

/// The planned executor.
public struct PlannedBackend: TestBackend {
    /// Whether every input but the first is known when the plan is made, as a model's weights are.
    private let constants: Bool
    private let executor: PlannedExecutor

    public init(constants: Bool, threads: Int) {
        self.constants = constants
        executor = PlannedExecutor(Plan.Options(threads: threads))
    }

    public var name: String { constants ? "planned with constants" : "planned" }
    public func run(_ graph: Graph, _ inputs: [HostArray]) throws -> [HostArray] {
        try executor(graph, inputs, constants: constants ? Set(inputs.indices.dropFirst()) : [])
    }
}

/// The plain Swift evaluator.
public struct ReferenceBackend: TestBackend {
    public var name: String { "reference" }
    public func run(_ graph: Graph, _ inputs: [HostArray]) throws -> [HostArray] {
        try ReferenceEvaluator()(graph, inputs)
    }
}

/// Traces `function` for the types of `inputs`, and runs it on the reference evaluator.
public func evaluate(_ inputs: [HostArray], _ function: ([Tensor]) -> [Tensor]) throws -> [HostArray] {
    try TestBackends.reference.run(Graph(inputs.map(\.type), function), inputs)
}

/// The value of a tensor that reads no inputs, on the reference evaluator.
public func evaluate(_ tensor: Tensor) throws -> HostArray {
    try TestBackends.reference.run(Graph(inputs: [], outputs: [tensor]), [])[0]
}
