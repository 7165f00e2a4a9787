import Glibc
import PJRT
import Testing

@Suite struct LifetimeTests {
    /// In a process of its own, where no other test holds anything.
    @Test func everythingIsFreedWithItsLastReference() async {
        await #expect(processExitsWith: .success) {
            for which in TestPlugin.present {
                try await useEverything(which)
                #expect(LiveObjects.current == .zero, "\(which) still holds \(LiveObjects.current)")
            }
        }
    }

    @Test func countersCountWhatIsHeld() async {
        await #expect(processExitsWith: .success) {
            let client = try TestPlugin.pinned.client()
            let executable = try client.compile(Program.increment)
            let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
            let outputs = try executable.execute([x])
            let event = try outputs[0].readyEvent()
            // A donated buffer is still held, though its memory is not.
            #expect(LiveObjects.current.description == "1 clients, 2 buffers, 1 executables, 1 events")
            withExtendedLifetime((x, outputs, event)) {}
        }
    }

    @Test(arguments: TestPlugin.present)
    func aBufferOutlivesEveryOtherReferenceToItsClient(_ which: TestPlugin) throws {
        func make() throws -> Buffer {
            let client = try which.client()
            let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
            return try client.compile(Program.increment).execute([x])[0]
        }
        #expect(try make().floats() == [2, 3, 4, 5])
    }

    @Test(arguments: TestPlugin.present)
    func anEventOutlivesEveryOtherReferenceToItsClient(_ which: TestPlugin) async throws {
        func launch() throws -> Event {
            let client = try which.client()
            let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
            return try client.compile(Program.increment).launch([[x]]).completion[0]
        }
        try await launch().completed()
    }

    /// The last reference to a client may go as its last event completes, on the plugin's own thread.
    @Test(arguments: TestPlugin.present)
    func clientsMayEndWhileTheirEventsComplete(_ which: TestPlugin) async throws {
        let elements = [Float](repeating: 1, count: 1 << 20)
        for _ in 0..<20 {
            let client = try which.client()
            let x = try client.makeBuffer(elements, type: .f32, dimensions: [1 << 20])
            async let copy = x.toHostAsync()
            #expect(try await copy.count == 1 << 22)
        }
    }

    @Test(arguments: TestPlugin.present)
    func manyTasksShareOneExecutable(_ which: TestPlugin) async throws {
        let client = try which.client(devices: 2)
        let executable = try client.compile(Program.addThenMultiply)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<50 {
                        let scale = Float(task * 50 + step)
                        let a = try client.makeBuffer([scale, 0, 0, scale], type: .f32, dimensions: [2, 2])
                        let b = try client.makeBuffer([1, 0, 0, 1] as [Float], type: .f32, dimensions: [2, 2])
                        let output = try executable.execute([a, b])[0]
                        let host = step % 2 == 0 ? try output.toHost() : try await output.toHostAsync()
                        #expect(host.floats == [scale + 1, 0, 0, scale + 1])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aProcessMayEndWithEverythingStillHeld() async {
        await #expect(processExitsWith: .success) {
            let client = try TestPlugin.pinned.client()
            let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
            let execution = try client.compile(Program.increment).launch([[x]])
            _ = Unmanaged.passRetained(execution.completion[0])
            exit(0)
        }
    }
}

/// Makes and drops one of each resource, on the paths that succeed and those that fail.
private func useEverything(_ which: TestPlugin) async throws {
    let client = try which.client(devices: 2)
    #expect(throws: PJRTError.self) { try client.compile("nonsense") }
    let executable = try client.compile(Program.increment)
    let x = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [4])
    #expect(throws: PJRTError.self) { try executable.execute([x, x]) }
    let execution = try executable.launch([[x]])
    try await execution.completed()
    let y = execution.outputs[0][0]
    #expect(try await y.toHostAsync() == y.toHost())
    _ = try y.copy(to: client.devices[1])
    try y.readyEvent().wait()
    let loaded = try client.load(serialized: try executable.serialize())
    _ = try loaded.execute([y])
    // An output whose type buffers do not carry.
    let complex = try client.compile(
        """
        func.func @main(%x: tensor<f32>) -> (tensor<f32>, tensor<complex<f32>>, tensor<f32>) {
          %z = stablehlo.complex %x, %x : tensor<complex<f32>>
          return %x, %z, %x : tensor<f32>, tensor<complex<f32>>, tensor<f32>
        }
        """)
    let scalar = try client.makeBuffer([1] as [Float], type: .f32, dimensions: [])
    #expect(throws: BufferError.self) { try complex.execute([scalar]) }
    #expect(LiveObjects.current != .zero)
}
