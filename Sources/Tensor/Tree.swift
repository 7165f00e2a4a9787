/// Nested dictionaries and lists with values at the leaves: arguments and results of a compiled function.
///
/// The same tree shape holds traced tensors, device buffers or host arrays. Leaves have paths such as
/// `parameters.encoder.stem.weight`, and are always visited in order of their paths' components.
public enum Tree<Leaf> {
    case leaf(Leaf)
    case list([Tree])
    case dictionary([String: Tree])

    /// A dictionary of leaves.
    public init(_ leaves: [String: Leaf]) { self = .dictionary(leaves.mapValues { .leaf($0) }) }

    /// Every leaf in order.
    public var leaves: [Leaf] {
        switch self {
        case .leaf(let leaf): [leaf]
        case .list(let items): items.flatMap(\.leaves)
        case .dictionary(let items): items.sorted { $0.key < $1.key }.flatMap(\.value.leaves)
        }
    }

    /// Every leaf's path, in order.
    public var paths: [String] { paths(under: "") }

    private func paths(under prefix: String) -> [String] {
        func join(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }
        return switch self {
        case .leaf: [prefix]
        case .list(let items): items.enumerated().flatMap { $1.paths(under: join(String($0))) }
        case .dictionary(let items): items.sorted { $0.key < $1.key }.flatMap { $0.value.paths(under: join($0.key)) }
        }
    }

    /// The same shape with each leaf replaced, in order.
    public func map<Other, Failure: Error>(
        _ transform: (_ path: String, _ leaf: Leaf) throws(Failure) -> Other
    ) throws(Failure) -> Tree<Other> {
        try map(under: "", transform)
    }

    private func map<Other, Failure: Error>(
        under prefix: String, _ transform: (String, Leaf) throws(Failure) -> Other
    ) throws(Failure) -> Tree<Other> {
        func join(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }
        switch self {
        case .leaf(let leaf): return .leaf(try transform(prefix, leaf))
        case .list(let items):
            var result: [Tree<Other>] = []
            for (index, item) in items.enumerated() {
                result.append(try item.map(under: join(String(index)), transform))
            }
            return .list(result)
        case .dictionary(let items):
            var result: [String: Tree<Other>] = [:]
            for (key, item) in items.sorted(by: { $0.key < $1.key }) {
                result[key] = try item.map(under: join(key), transform)
            }
            return .dictionary(result)
        }
    }

    /// The subtree under a key. Asking for one that is not there is a mistake in the calling code.
    public subscript(key: String) -> Tree {
        guard case .dictionary(let items) = self, let item = items[key] else {
            preconditionFailure("this tree has no '\(key)'; it has \(paths.prefix(8))")
        }
        return item
    }

    public subscript(index: Int) -> Tree {
        guard case .list(let items) = self, items.indices.contains(index) else {
            preconditionFailure("this tree has no element \(index)")
        }
        return items[index]
    }

    /// The value here, of a tree that is one leaf.
    public var value: Leaf {
        guard case .leaf(let leaf) = self else {
            preconditionFailure("this tree is not a leaf; it has \(paths.prefix(8))")
        }
        return leaf
    }

    /// The leaves by name, of a dictionary of leaves.
    public var values: [String: Leaf] {
        guard case .dictionary(let items) = self else { preconditionFailure("this tree is not a dictionary") }
        return items.mapValues(\.value)
    }
}

extension Tree: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    public init(dictionaryLiteral elements: (String, Tree)...) {
        self = .dictionary(Dictionary(uniqueKeysWithValues: elements))
    }
    public init(arrayLiteral elements: Tree...) { self = .list(elements) }
}

extension Tree: Sendable where Leaf: Sendable {}
