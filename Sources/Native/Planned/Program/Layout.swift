internal import Tensor

/// Where every value of a program lies: views share memory with what they view, operands of a concatenation are made in
/// place, and memory is used again once nothing reads it.
struct Layout {
    /// Bytes of the arena.
    private(set) var arenaByteCount = 0
    private var program: Program
    /// For each value: the value whose memory it lies in, and at how many bytes.
    private var homes: [(root: Program.Value, offset: Int)]
    private var arenaOffsets: [Program.Value: Int] = [:]
    private var inputIndices: [Program.Value: Int] = [:]

    /// The operations that remain: what views and placements do needs no step.
    private(set) var operations: [Operation] = []

    enum Operation {
        case work(Program.Operation)
        /// Of a concatenation, the operands that are not made in place: where each goes, in bytes.
        case join(Concatenate, Program.Operation, copied: [Int])
    }

    /// - Parameter aliases: for an output, the input whose memory it is written to.
    init(_ program: Program, aliases: [Int: Int]) {
        self.program = program
        homes = program.values.indices.map { ($0, 0) }
        for (index, input) in program.inputs.enumerated() where inputIndices[input] == nil {
            inputIndices[input] = index
        }
        for operation in program.operations { place(operation) }
        scheduleStores(aliases)
        assignOffsets()
    }

    func home(_ value: Program.Value) -> (root: Program.Value, offset: Int) {
        var (root, offset) = homes[value]
        while homes[root].root != root {
            offset += homes[root].offset
            root = homes[root].root
        }
        return (root, offset)
    }

    /// Where a value lies; `nil` for one in a constant's memory, whose root `home` tells.
    func place(of value: Program.Value) -> Place? {
        let (root, offset) = home(value)
        if let index = inputIndices[root] { return .input(index: index, offset: offset) }
        return arenaOffsets[root].map { .arena($0 + offset) }
    }

    private func type(_ value: Program.Value) -> TensorType { program.values[value].type }

    private func isArena(_ root: Program.Value) -> Bool {
        inputIndices[root] == nil && program.values[root].constant == nil
    }

    // MARK: - Views and placements

    private mutating func place(_ operation: Program.Operation) {
        guard case .primitive(let primitive) = operation.work else { return operations.append(.work(operation)) }
        if primitive.isView {
            for (operand, result) in zip(operation.operands, operation.results) { homes[result] = (operand, 0) }
        } else if let slice = primitive as? Slice, let offset = slice.contiguousOffset(of: type(operation.operands[0]))
        {
            homes[operation.results[0]] = (operation.operands[0], offset)
        } else if let join = primitive as? Concatenate {
            place(join, operation)
        } else if type(operation.results[0]).shape.elementCount
            == type(operation.operands.first ?? 0).shape.elementCount,
            primitive is Broadcast
                || (primitive as? Transpose)?.keepsOrder(of: type(operation.operands[0]).shape) == true
        {
            homes[operation.results[0]] = (operation.operands[0], 0)
        } else {
            operations.append(.work(operation))
        }
    }

    private mutating func place(_ join: Concatenate, _ operation: Program.Operation) {
        let result = operation.results[0]
        let isContiguous = type(result).shape.dimensions[..<join.axis].allSatisfy { $0 == 1 }
        var copied: [Int] = []
        var offset = 0
        for (index, operand) in operation.operands.enumerated() {
            let (root, start) = home(operand)
            // Only a value that fills memory of its own can be made elsewhere instead.
            if isContiguous && start == 0 && root != result && isArena(root)
                && type(root).byteCount == type(operand).byteCount
            {
                homes[root] = (result, offset)
            } else {
                copied.append(index)
            }
            offset += type(operand).byteCount
        }
        operations.append(.join(join, operation, copied: copied))
    }

    // MARK: - Stores

    /// An output is written as soon as it is there, or its memory would be held to the end; but not over an input that is
    /// still to be read.
    private mutating func scheduleStores(_ aliases: [Int: Int]) {
        var ready = [Program.Value: Int]()
        var lastRead = [Program.Value: Int]()
        for (index, operation) in operations.enumerated() {
            for result in operation.results { ready[home(result).root] = index }
            for operand in operation.operands { lastRead[home(operand).root] = index }
        }
        var after: [[Operation]] = Array(repeating: [], count: operations.count + 1)
        // Outputs that are inputs as given, last: they are read from memory that others are written to.
        let moved = Set(aliases.values.map { home(program.inputs[$0]).root })
        var first: [Operation] = []
        for (index, output) in program.outputs.enumerated() {
            let root = home(output).root
            let store = Operation.work(
                Program.Operation(work: .store(output: index), operands: [output], results: []))
            if moved.contains(root) {
                if let alias = aliases[index], home(program.inputs[alias]).root == root, home(output).offset == 0 {
                    continue
                }
                // Before anything is overwritten.
                first.append(store)
                continue
            }
            var place = (ready[root] ?? -1) + 1
            if let alias = aliases[index] { place = max(place, (lastRead[home(program.inputs[alias]).root] ?? -1) + 1) }
            after[place].append(store)
        }
        operations =
            first + after[0] + zip(operations, after.dropFirst()).flatMap { operation, stores in [operation] + stores }
    }

    // MARK: - The arena

    private mutating func assignOffsets() {
        struct Span {
            let root: Program.Value
            let byteCount: Int
            var first: Int
            var last: Int
        }
        var spans: [Program.Value: Span] = [:]
        for (index, operation) in operations.enumerated() {
            for value in operation.operands + operation.results {
                let root = home(value).root
                guard isArena(root) else { continue }
                spans[root, default: Span(root: root, byteCount: type(root).byteCount, first: index, last: index)]
                    .last =
                    index
            }
        }
        // Largest first, each at the lowest place where no other lives at the same time.
        let order = spans.values.sorted { ($1.byteCount, $0.root) < ($0.byteCount, $1.root) }
        var placed: [(span: Span, offset: Int)] = []
        for span in order {
            let neighbours = placed.filter { $0.span.first <= span.last && span.first <= $0.span.last }
                .sorted { $0.offset < $1.offset }
            var offset = 0
            for neighbour in neighbours {
                if offset + span.byteCount <= neighbour.offset { break }
                offset = max(offset, aligned(neighbour.offset + neighbour.span.byteCount))
            }
            placed.append((span, offset))
            arenaOffsets[span.root] = offset
            arenaByteCount = max(arenaByteCount, aligned(offset + span.byteCount))
        }
    }

    private func aligned(_ bytes: Int) -> Int {
        (bytes + AlignedBuffer.alignment - 1) / AlignedBuffer.alignment * AlignedBuffer.alignment
    }
}

extension Layout.Operation {
    var operands: [Program.Value] {
        switch self {
        case .work(let operation), .join(_, let operation, _): operation.operands
        }
    }

    var results: [Program.Value] {
        switch self {
        case .work(let operation), .join(_, let operation, _): operation.results
        }
    }
}

extension Slice {
    /// The bytes before a slice that is one piece of memory; `nil` if it is not.
    fileprivate func contiguousOffset(of type: TensorType) -> Int? {
        let shape = type.shape
        guard strides.allSatisfy({ $0 == 1 }) else { return nil }
        let kept = zip(limits, starts).map { $0 - $1 }
        // One axis may be cut, if all before it have one element and all after it are whole.
        guard let axis = shape.indices.first(where: { kept[$0] != shape[$0] }) else { return 0 }
        guard shape.dimensions[..<axis].allSatisfy({ $0 == 1 }),
            shape.indices[(axis + 1)...].allSatisfy({ kept[$0] == shape[$0] })
        else { return nil }
        return starts[axis] * shape.strides[axis] * type.dtype.byteCount
    }
}

extension Transpose {
    /// Whether only axes of one element move.
    fileprivate func keepsOrder(of shape: Shape) -> Bool {
        let moved = permutation.filter { shape[$0] != 1 }
        return moved == moved.sorted()
    }
}
