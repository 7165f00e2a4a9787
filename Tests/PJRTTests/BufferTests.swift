import PJRT
import Testing

@Suite struct BufferTests {
    @Test(arguments: TestPlugin.present, ElementType.allCases)
    func everyElementTypeRoundTrips(_ which: TestPlugin, _ type: ElementType) async throws {
        let client = try which.client()
        // Any bytes are a value of the numeric types; `bool` holds only 0 and 1.
        let bytes = (0..<6 * type.byteCount).map { UInt8(truncatingIfNeeded: type == .bool ? $0 % 2 : $0 * 37 + 1) }
        let buffer = try client.makeBuffer(bytes, type: type, dimensions: [2, 3])
        #expect(buffer.elementType == type)
        #expect(buffer.dimensions == [2, 3])
        #expect(buffer.byteCount == bytes.count)
        #expect(try buffer.onDeviceByteCount >= bytes.count)
        #expect(try buffer.device == client.devices[0])
        try buffer.readyEvent().wait()
        #expect(try buffer.toHost() == bytes)
        #expect(try await buffer.toHostAsync() == bytes)
    }

    @Test(arguments: TestPlugin.present, [[], [0], [3, 0, 2], [1], [1, 1, 1, 1, 1, 1]])
    func shapesAtTheEdgesRoundTrip(_ which: TestPlugin, _ dimensions: [Int]) async throws {
        let client = try which.client()
        let elements = (0..<dimensions.reduce(1, *)).map { Float($0) + 0.5 }
        let buffer = try client.makeBuffer(elements, type: .f32, dimensions: dimensions)
        #expect(buffer.dimensions == dimensions)
        #expect(try buffer.floats() == elements)
        #expect(try await buffer.toHostAsync().floats == elements)
    }

    @Test(arguments: TestPlugin.present)
    func hostMemoryMayChangeOnceTheBufferIsMade(_ which: TestPlugin) throws {
        let client = try which.client()
        var elements = [Float](repeating: 1, count: 1 << 18)
        let buffer = try client.makeBuffer(elements, type: .f32, dimensions: [1 << 18])
        for index in elements.indices { elements[index] = 2 }
        #expect(try buffer.floats().allSatisfy { $0 == 1 })
    }

    @Test(arguments: TestPlugin.present)
    func contentsAreRowMajorWhateverTheDeviceLayout(_ which: TestPlugin) async throws {
        let client = try which.client()
        let executable = try client.compile(
            """
            module {
              func.func public @main(%x: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32> {mhlo.layout_mode = "{1,0,2}"}) {
                %y = stablehlo.add %x, %x : tensor<2x3x4xf32>
                return %y : tensor<2x3x4xf32>
              }
            }
            """)
        let elements = (0..<24).map(Float.init)
        let x = try client.makeBuffer(elements, type: .f32, dimensions: [2, 3, 4])
        let y = try executable.execute([x])[0]
        #expect(try y.floats() == elements.map { 2 * $0 })
        #expect(try await y.toHostAsync().floats == elements.map { 2 * $0 })
    }

    @Test(arguments: TestPlugin.present)
    func buffersCopyBetweenDevices(_ which: TestPlugin) throws {
        let client = try which.client(devices: 2)
        let first = try client.makeBuffer([1, 2, 3] as [Float], type: .f32, dimensions: [3], device: client.devices[0])
        let second = try first.copy(to: client.devices[1])
        #expect(try second.device == client.devices[1])
        #expect(try first.device == client.devices[0])
        #expect(try second.floats() == [1, 2, 3])
        #expect(try first.copy(to: client.devices[0]).floats() == [1, 2, 3])
    }

    @Test(arguments: TestPlugin.present)
    func everyUseOfADeletedBufferIsATypedError(_ which: TestPlugin) async throws {
        let client = try which.client()
        let buffer = try client.makeBuffer([1, 2] as [Float], type: .f32, dimensions: [2])
        #expect(!buffer.isDeleted)
        try buffer.delete()
        try buffer.delete()
        #expect(buffer.isDeleted)
        #expect(buffer.dimensions == [2])
        let uses: [() throws -> Void] = [
            { _ = try buffer.toHost() }, { _ = try buffer.copy(to: client.devices[0]) },
            { _ = try buffer.readyEvent() }, { _ = try buffer.onDeviceByteCount },
        ]
        for use in uses {
            let error = #expect(throws: BufferError.self) { try use() }
            guard case .deleted(_, .f32, [2]) = error else {
                Issue.record("unexpected \(String(describing: error))")
                continue
            }
        }
        await #expect(throws: BufferError.self) { try await buffer.toHostAsync() }
    }

    @Test func bytesThatDoNotFillTheShapeAreRefused() throws {
        let client = try TestPlugin.pinned.client()
        #expect(throws: BufferError.byteCount(type: .f32, dimensions: [2, 2], expected: 16, actual: 12)) {
            try client.makeBuffer([1, 2, 3] as [Float], type: .f32, dimensions: [2, 2])
        }
        for dimensions in [[-1, -1], [Int.max, 2], [Int.max / 2, 4]] {
            #expect(throws: BufferError.invalidDimensions(dimensions)) {
                try client.makeBuffer([1] as [Float], type: .f32, dimensions: dimensions)
            }
        }
        let buffer = try client.makeBuffer([1, 2] as [Float], type: .f32, dimensions: [2])
        #expect(throws: BufferError.byteCount(type: .f32, dimensions: [2], expected: 8, actual: 4)) {
            try withUnsafeTemporaryAllocation(byteCount: 4, alignment: 8) { try buffer.copy(into: $0) }
        }
    }

    @Test func devicesOfAnotherClientAreRefused() throws {
        let client = try TestPlugin.pinned.client()
        let other = try TestPlugin.pinned.client()
        #expect(throws: BufferError.self) {
            try client.makeBuffer([1] as [Float], type: .f32, dimensions: [1], device: other.devices[0])
        }
        let buffer = try client.makeBuffer([1] as [Float], type: .f32, dimensions: [1])
        #expect(throws: BufferError.self) { try buffer.copy(to: other.devices[0]) }
    }
}
