public import Tensor
public import Testing

/// One operation whose values another implementation has recorded: the arrays `<operation>.<variant>/in0…`, `out0…`.
public struct ValueCase: Sendable, CustomTestStringConvertible {
    public let operation: String
    public let tolerance: Tolerance?
    public let function: @Sendable ([Tensor]) -> [Tensor]

    /// - Parameter tolerance: a few roundings of the expected array's dtype if `nil`.
    public init(
        _ operation: String, _ tolerance: Tolerance? = nil, _ function: @escaping @Sendable ([Tensor]) -> [Tensor]
    ) {
        self.operation = operation
        self.tolerance = tolerance
        self.function = function
    }

    public var testDescription: String { operation }

    /// The recorded variants, such as `exp.f32` and `exp.f64`.
    public func variants(in fixture: Fixture) -> [String] {
        Set(fixture.arrays.keys.map { String($0.prefix { $0 != "/" }) })
            .filter { $0.prefix { $0 != "." } == operation }.sorted()
    }

    /// This operation traced for each variant's inputs.
    public func graphs(in fixture: Fixture) -> [Graph] {
        variants(in: fixture).map { variant in Graph(fixture.list("\(variant)/in").map(\.type), function) }
    }
}

extension Fixture {
    /// The arrays `<prefix>0`, `<prefix>1`, and so on.
    public func list(_ prefix: String) -> [HostArray] {
        Array((0...).lazy.map { self.arrays["\(prefix)\($0)"] }.prefix { $0 != nil }.compactMap { $0 })
    }

    /// The operations that the file has arrays of.
    public var operations: Set<String> {
        Set(arrays.keys.map { key in String(key.prefix { $0 != "." && $0 != "/" }) })
    }
}

/// Records an issue unless every backend gives what the fixture holds for every variant of this operation.
public func expectMatches(
    _ valueCase: ValueCase, in fixture: Fixture, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let variants = valueCase.variants(in: fixture)
    #expect(!variants.isEmpty, "no recorded values of \(valueCase.operation)", sourceLocation: sourceLocation)
    let calls = variants.map { variant in
        let inputs = fixture.list("\(variant)/in")
        return (graph: Graph(inputs.map(\.type), valueCase.function), inputs: inputs)
    }
    for backend in TestBackends.all {
        for (variant, actual) in zip(variants, try backend.run(calls)) {
            let expected = fixture.list("\(variant)/out")
            #expect(actual.count == expected.count, "\(variant): number of outputs", sourceLocation: sourceLocation)
            for (found, known) in zip(actual, expected) {
                #expect(found.type == known.type, "\(variant) on \(backend.name)", sourceLocation: sourceLocation)
            }
            func compare(_ isCompared: (Int) -> Bool = { _ in true }) {
                for (index, pair) in zip(actual, expected).enumerated() where isCompared(index) {
                    expectClose(
                        pair.0, pair.1, pair.1.dtype.isFloating ? valueCase.tolerance : nil,
                        "\(variant)/out\(index) on \(backend.name)", sourceLocation: sourceLocation)
                }
            }
            if backend is XLABackend, let reason = XLABackend.knownDifference(valueCase.operation) {
                // Of what is sorted, every other result, it is only the places that differ.
                let isSorted = valueCase.operation == "sortSpecial" || valueCase.operation == "topSpecial"
                if isSorted { compare { $0 % 2 == 0 } }
                // The larger and the smaller of values are among them all the same.
                if valueCase.operation == "maximumSpecial" || valueCase.operation == "minimumSpecial" {
                    let given = Set(fixture.list("\(variant)/in").flatMap(\.doubles))
                    for value in actual.flatMap(\.doubles) where !value.isNaN {
                        #expect(given.contains(value), "\(variant)", sourceLocation: sourceLocation)
                    }
                }
                // Not every dtype is compiled so.
                withKnownIssue(reason, isIntermittent: true, sourceLocation: sourceLocation) {
                    compare { !isSorted || $0 % 2 == 1 }
                }
            } else {
                compare()
            }
        }
    }
}
