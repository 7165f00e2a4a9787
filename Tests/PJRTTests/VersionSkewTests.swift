import CPJRT
import TestSupport
import Testing

@testable import PJRT

/// What the two real plugins do not show: plugins that are older than the header, and structs that are larger.
@Suite struct VersionSkewTests {
    /// A plugin's table cut off before `end`, as a plugin from before that function would give.
    private func older(than end: PartialKeyPath<PJRT_Api>) throws -> Plugin {
        let real = try Plugin.load(path: TestPlugin.pinned.path)
        let size = try #require(MemoryLayout<PJRT_Api>.offset(of: end))
        return try withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { table in
            table.copyMemory(from: UnsafeRawBufferPointer(start: real.api, count: size))
            table.storeBytes(of: size, as: Int.self)
            return try Plugin(path: "/older.so", xlaFlags: [], table: table.baseAddress!)
        }
    }

    @Test func aFunctionTheOlderPluginLacksIsATypedError() throws {
        let client = try Client(plugin: try older(than: \.PJRT_Executable_OutputElementTypes))
        let executable = try client.compile(Program.addThenMultiply)
        let error = #expect(throws: PJRTError.self) { try executable.outputTypes }
        #expect(error?.code == .unimplemented)
        #expect(error?.plugin == "/older.so")
        #expect(error?.description.contains("add_then_multiply") == true)
        #expect(try executable.memoryStatistics == nil)
        #expect(try executable.fingerprint == nil)
        let a = try client.makeBuffer([1, 2, 3, 4] as [Float], type: .f32, dimensions: [2, 2])
        #expect(try executable.execute([a, a])[0].floats() == [14, 20, 30, 44])
    }

    @Test func compatibilityKeyTellsFlagsApart() throws {
        let real = try Plugin.load(path: TestPlugin.pinned.path)
        func key(_ flags: String) throws -> String {
            let plugin = try Plugin(path: real.path, xlaFlags: [], table: real.api, environment: flags)
            return try Client(plugin: plugin).compatibilityKey
        }
        let plain = try key("")
        let fast = try key("--xla_cpu_enable_fast_math=true")
        #expect(try key(" \n") == plain)
        #expect(fast != plain && fast.hasPrefix(plain))
        #expect(try key(" --xla_cpu_enable_fast_math=true ") == fast)
        #expect(try key("--xla_cpu_enable_fast_math=false") != fast)
        // A file of flags.
        let folder = try TemporaryFolder()
        let path = folder.file("flags")
        let keys = try ["true", "false", "true"].map { value in
            try write(Array("--xla_cpu_enable_fast_math=\(value)".utf8), to: path)
            return try key(path)
        }
        #expect(keys[0] != keys[1] && keys[0] == keys[2])
    }

    @Test func aClientThatCannotBeDescribedIsDestroyed() throws {
        #expect(throws: PJRTError.self) { try Client(plugin: try older(than: \.PJRT_Client_Devices)) }
    }

    @Test func framesAreZeroAndLargerThanTheHeadersStruct() {
        struct Arguments {
            var size = 0
            var value: UInt64 = 0
        }
        withFrame(of: Arguments.self) { frame in
            #expect(frame.pointee.size >= MemoryLayout<Arguments>.size + 256)
            let bytes = UnsafeRawBufferPointer(start: frame, count: frame.pointee.size)
            #expect(bytes.dropFirst(8).allSatisfy { $0 == 0 })
        }
    }

    @Test func aPluginOfAnotherMajorVersionIsRefused() throws {
        let real = try Plugin.load(path: TestPlugin.pinned.path)
        var table = real.api.pointee
        table.pjrt_api_version.major_version = 1
        let error = #expect(throws: PluginError.self) {
            try withUnsafeBytes(of: &table) {
                _ = try Plugin(path: "/other.so", xlaFlags: [], table: $0.baseAddress!)
            }
        }
        #expect(error?.description.contains("API 1.81") == true)
    }
}
