import Foundation
import PJRT
import Testing

@Suite struct PluginSearchTests {
    /// A folder that is removed with its last reference.
    final class Folder {
        let path: String

        init() throws {
            var template = Array("/tmp/allophone-search-XXXXXX".utf8CString)
            path = String(cString: try #require(mkdtemp(&template)))
        }

        func file(_ name: String) throws -> String {
            let parts = name.split(separator: "/")
            for end in 1..<parts.count { mkdir("\(path)/\(parts[..<end].joined(separator: "/"))", 0o755) }
            let file = try #require(fopen("\(path)/\(name)", "w"))
            fclose(file)
            return "\(path)/\(name)"
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func search(_ folder: Folder, _ environment: [String: String] = [:]) -> PluginSearch {
        PluginSearch(
            environment: environment, workingDirectory: "\(folder.path)/work/deep",
            executable: "\(folder.path)/program/bin/allophone", prefixes: ["\(folder.path)/usr"])
    }

    @Test func theErrorListsEveryPathTriedAndTheRemedy() throws {
        let folder = try Folder()
        let error = try #require(throws: PluginError.self) {
            try search(folder, ["PJRT_PLUGIN_LIBRARY_PATH": "/gone/cpu.so", "HOME": "/home/me"]).find(.cpu)
        }
        for path in [
            "/gone/cpu.so", "\(folder.path)/work/deep/.xla/cpu/xla_cpu_pjrt.so",
            "\(folder.path)/.xla/cpu/pjrt_c_api_cpu_plugin.so", "\(folder.path)/program/.xla/cpu/xla_cpu_pjrt.so",
            "/home/me/.cache/allophone/xla/cpu/xla_cpu_pjrt.so",
        ] {
            #expect(error.description.contains("  \(path)\n"))
        }
        #expect(error.description.contains("make setup"))
    }

    @Test func anExplicitPathIsNotSearchedFor() throws {
        let folder = try Folder()
        _ = try folder.file(".xla/cpu/xla_cpu_pjrt.so")
        #expect(throws: PluginError.notFound(kind: .path("/gone.so"), tried: ["/gone.so"])) {
            try search(folder).find(.path("/gone.so"))
        }
    }

    @Test func theEnvironmentComesBeforeTheFetchedFolder() throws {
        let folder = try Folder()
        let fetched = try folder.file(".xla/cpu/xla_cpu_pjrt.so")
        let own = try folder.file("own/mine.so")
        #expect(try search(folder).find(.cpu) == fetched)
        #expect(try search(folder, ["ALLOPHONE_PJRT_PLUGIN": own]).find(.cpu) == own)
        #expect(try search(folder, ["ALLOPHONE_PJRT_PLUGIN": own]).find(.default) == own)
    }

    @Test func anEnvironmentPluginThatIsGoneIsAnError() throws {
        let folder = try Folder()
        _ = try folder.file(".xla/cpu/xla_cpu_pjrt.so")
        let error = try #require(throws: PluginError.self) {
            try search(folder, ["ALLOPHONE_PJRT_PLUGIN": "/gone.so"]).find(.cpu)
        }
        #expect(error == .notFound(kind: .cpu, tried: ["/gone.so"]))
    }

    @Test func anEnvironmentPluginOfAnotherPlatformIsPassedOver() throws {
        let folder = try Folder()
        let fetched = try folder.file(".xla/cpu/xla_cpu_pjrt.so")
        let cuda = try folder.file("own/xla_cuda_plugin.so")
        let search = search(folder, ["ALLOPHONE_PJRT_PLUGIN": cuda])
        #expect(try search.find(.cpu) == fetched)
        #expect(try search.find(.cuda) == cuda)
    }

    @Test func theLibraryPathHoldsFilesAndFolders() throws {
        let folder = try Folder()
        let plugin = try folder.file("plugins/pjrt_c_api_cpu_plugin.so")
        for entry in ["\(folder.path)/plugins", plugin] {
            #expect(try search(folder, ["PJRT_PLUGIN_LIBRARY_PATH": "/gone:\(entry)"]).find(.cpu) == plugin)
        }
    }

    @Test(arguments: [
        (PlatformKind.cpu, "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"),
        (.cuda, "jax_plugins/xla_cuda13/xla_cuda_plugin.so"), (.cuda, "jax_plugins/xla_cuda12/xla_cuda_plugin.so"),
        (.tpu, "libtpu/libtpu.so"),
    ])
    func pythonPackagesAreFound(_ kind: PlatformKind, _ package: String) throws {
        for (variable, root) in [
            ("VIRTUAL_ENV", "venv/lib/python3.12/site-packages"), ("CONDA_PREFIX", "venv/lib/python3.9/site-packages"),
            ("", "usr/lib/python3/dist-packages"), ("HOME", "venv/.local/lib/python3.11/site-packages"),
        ] {
            let folder = try Folder()
            let plugin = try folder.file("\(root)/\(package)")
            #expect(try search(folder, [variable: "\(folder.path)/venv"]).find(kind) == plugin)
        }
    }

    @Test func pythonIsFoundThroughThePathAndItsLinks() throws {
        let folder = try Folder()
        let plugin = try folder.file("base/lib/python3.11/site-packages/libtpu/libtpu.so")
        _ = try folder.file("base/bin/python3")
        _ = try folder.file("shims/other")
        #expect(symlink("\(folder.path)/base/bin/python3", "\(folder.path)/shims/python3") == 0)
        #expect(try search(folder, ["PATH": "/gone:\(folder.path)/shims"]).find(.tpu) == plugin)
        #expect(
            try search(folder, ["PYTHONPATH": "\(folder.path)/base/lib/python3.11/site-packages"]).find(.tpu) == plugin)
    }
}
