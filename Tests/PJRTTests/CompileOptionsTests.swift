import PJRT
import Testing

@Suite struct CompileOptionsTests {
    @Test func optionsThatContradictThemselvesAreRefused() throws {
        let client = try TestPlugin.pinned.client(devices: 2)
        #expect(throws: CompileOptionsError.noDevices(replicas: 0, partitions: 1)) {
            try client.compile(Program.increment, options: CompileOptions(replicas: 0))
        }
        for assignment in [[[0], [1]], [[0, 1]], [[]], []] {
            let error = CompileOptionsError.deviceAssignment(assignment, replicas: 1, partitions: 1)
            #expect(throws: error) {
                try client.compile(Program.increment, options: CompileOptions(deviceAssignment: assignment))
            }
        }
    }

    @Test(arguments: TestPlugin.present)
    func moreDevicesThanThereAreIsThePluginsError(_ which: TestPlugin) throws {
        let client = try which.client()
        #expect(throws: PJRTError.self) {
            try client.compile(Program.increment, options: CompileOptions(replicas: 64))
        }
    }

    @Test(arguments: TestPlugin.present)
    func overridesReachTheCompiler(_ which: TestPlugin) throws {
        let client = try which.client()
        let known: [String: NamedValue] = [
            "xla_cpu_enable_fast_math": true, "xla_backend_optimization_level": 1, "xla_dump_hlo_as_text": false,
            "xla_cpu_prefer_vector_width": 256, "xla_disable_hlo_passes": "no-such-pass",
        ]
        _ = try client.compile(Program.increment, options: CompileOptions(overrides: known))
        let unknown = #expect(throws: PJRTError.self) {
            try client.compile(Program.increment, options: CompileOptions(overrides: ["xla_no_such_option": true]))
        }
        #expect(unknown?.message.contains("xla_no_such_option") == true)
    }
}
