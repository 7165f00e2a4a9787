internal import Tensor

/// The places of the elements of a strided block, row-major: `base + Σ index[axis] · strides[axis]`.
///
/// Every primitive that only moves elements is one or two of these lists.
func offsets(_ extents: [Int], _ strides: [Int], base: Int = 0) -> [Int] {
    let count = extents.reduce(1, *)
    return [Int](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = count
        guard count > 0, let places = buffer.baseAddress else { return }
        // Each axis, from the innermost, repeats the block so far once per index.
        places[0] = base
        var block = 1
        for axis in extents.indices.reversed() {
            let (extent, step) = (extents[axis], strides[axis])
            var copy = 1
            while copy < extent {
                let shift = copy * step
                let target = places + copy * block
                var index = 0
                while index < block {
                    target[index] = places[index] + shift
                    index += 1
                }
                copy += 1
            }
            block *= extent
        }
    }
}

extension HostArray {
    /// The elements at `places`, in that order, under `shape`.
    func elements(at places: [Int], shape: Shape) -> HostArray {
        let result = TensorType(dtype, shape)
        switch dtype.byteCount {
        case 1: return HostArray(type: result, bytes: gather(bytes, places, UInt8.self))
        case 2: return HostArray(type: result, bytes: gather(bytes, places, UInt16.self))
        case 4: return HostArray(type: result, bytes: gather(bytes, places, UInt32.self))
        default: return HostArray(type: result, bytes: gather(bytes, places, UInt64.self))
        }
    }

    /// This array with `elements` written one after another to `places`.
    func replacing(elementsAt places: [Int], with elements: HostArray) -> HostArray {
        var bytes = bytes
        switch dtype.byteCount {
        case 1: scatter(elements.bytes, into: &bytes, places, UInt8.self)
        case 2: scatter(elements.bytes, into: &bytes, places, UInt16.self)
        case 4: scatter(elements.bytes, into: &bytes, places, UInt32.self)
        default: scatter(elements.bytes, into: &bytes, places, UInt64.self)
        }
        return HostArray(type: type, bytes: bytes)
    }

    /// This scalar in every element of `shape`.
    func repeated(_ shape: Shape) -> HostArray {
        elements(at: [Int](repeating: 0, count: shape.elementCount), shape: shape)
    }

    /// Slice `index` along axis 0, which goes.
    func slice(_ index: Int) -> HostArray {
        let type = TensorType(dtype, shape.removing([0]))
        let start = index * type.byteCount
        return HostArray(type: type, bytes: Array(bytes[start..<start + type.byteCount]))
    }
}

private func gather<Word: BitwiseCopyable>(_ source: [UInt8], _ places: [Int], _: Word.Type) -> [UInt8] {
    let (width, count) = (MemoryLayout<Word>.size, places.count)
    return [UInt8](unsafeUninitializedCapacity: count * width) { buffer, initialized in
        initialized = count * width
        guard count > 0 else { return }
        source.withUnsafeBytes { source in
            let target = UnsafeMutableRawPointer(buffer.baseAddress!)
            let source = source.baseAddress!
            places.withUnsafeBufferPointer { places in
                let places = places.baseAddress!
                var index = 0
                while index < count {
                    let word = source.loadUnaligned(fromByteOffset: places[index] * width, as: Word.self)
                    target.storeBytes(of: word, toByteOffset: index * width, as: Word.self)
                    index += 1
                }
            }
        }
    }
}

private func scatter<Word: BitwiseCopyable>(
    _ source: [UInt8], into target: inout [UInt8], _ places: [Int], _: Word.Type
) {
    let width = MemoryLayout<Word>.size
    source.withUnsafeBytes { source in
        target.withUnsafeMutableBytes { target in
            for (index, place) in places.enumerated() {
                target.storeBytes(
                    of: source.loadUnaligned(fromByteOffset: index * width, as: Word.self), toByteOffset: place * width,
                    as: Word.self)
            }
        }
    }
}
