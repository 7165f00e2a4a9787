public import Tensor

/// A part of a model: a value that holds parameters and other modules, and builds a graph when it is called.
///
/// Copies of a module share their parameters. So `[Block](repeating: Block(…), count: 3)` is one block applied three
/// times, and `(0..<3).map { _ in Block(…) }` is three.
public protocol Module: Sendable {}

extension Module {
    /// Every parameter by its path of property names, as in `blocks.0.units.1.dilated.weight`.
    ///
    /// An array's elements are named by their index and a dictionary's by their key; an optional, an enumeration and an
    /// existential are named as what they hold. A parameter that is reached by several paths (tied weights) stands under
    /// the first, in order of declaration.
    public var parameters: [String: Parameter] {
        var found = ParameterSearch()
        found.visit(self, path: "")
        return found.parameters
    }

    /// A first value for every parameter, as a graph.
    ///
    /// Each parameter's random numbers depend on `key` and its own path alone, so that a layer added to a model leaves
    /// the others as they were.
    public func initialization(key: RandomKey) -> [String: Tensor] {
        parameters.reduce(into: [:]) { values, entry in
            let (path, parameter) = entry
            values[path] = parameter.initializer(key.folding(in: stableHash(path)), parameter.shape)
        }
    }
}

private struct ParameterSearch {
    var parameters: [String: Parameter] = [:]
    private var seen = Set<Tensor.Key>()

    mutating func visit(_ value: Any, path: String) {
        if let parameter = value as? Parameter {
            if seen.insert(parameter.tensor.key).inserted { parameters[path] = parameter }
            return
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional, .enum:
            for child in mirror.children { visit(child.value, path: path) }
        case .collection:
            for (index, child) in mirror.children.enumerated() { visit(child.value, path: path.appending("\(index)")) }
        case .dictionary:
            visitDictionary(mirror, path: path)
        case .tuple:
            for child in mirror.children { visit(child.value, path: path.appending(child.label)) }
        default:
            guard value is any Module else { return }
            for child in mirror.children { visit(child.value, path: path.appending(child.label)) }
        }
    }

    private mutating func visitDictionary(_ mirror: Mirror, path: String) {
        let pairs = mirror.children.compactMap { child -> (key: String, value: Any)? in
            let pair = Array(Mirror(reflecting: child.value).children)
            return pair.count == 2 ? ("\(pair[0].value)", pair[1].value) : nil
        }
        // A dictionary has no order of its own, and which path of a tied weight comes first must not change.
        for pair in pairs.sorted(by: { $0.key < $1.key }) { visit(pair.value, path: path.appending(pair.key)) }
    }
}

extension String {
    fileprivate func appending(_ component: String?) -> String {
        guard let component else { return self }
        return isEmpty ? component : "\(self).\(component)"
    }
}

/// FNV-1a, 32 bits: the same in every process and release, which Swift's own hashing is not.
private func stableHash(_ text: String) -> UInt32 {
    text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
}
