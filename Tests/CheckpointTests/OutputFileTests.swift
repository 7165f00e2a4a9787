import Checkpoint
import Glibc
import TestSupport
import Testing

@Suite struct OutputFileTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("out.bin")
    }

    @Test func nothingShowsBeforeCommit() throws {
        try write([1], to: path)
        let file = try OutputFile(path: path)
        try file.write([2, 3])
        #expect(try contents(of: path) == [1])
        try file.commit()
        #expect(try contents(of: path) == [2, 3])
        #expect(try folder.entries() == ["out.bin"])
    }

    @Test func anAbandonedFileLeavesNoTrace() throws {
        do {
            let file = try OutputFile(path: path)
            try file.write([1])
            #expect(try folder.entries().count == 1)
        }
        #expect(try folder.entries() == [])
    }

    @Test func overwritesInPlace() throws {
        let file = try OutputFile(path: path)
        try file.write([0, 0, 3])
        try file.overwrite([1, 2], at: 0)
        try file.write([4])
        try file.commit()
        #expect(try contents(of: path) == [1, 2, 3, 4])
    }

    @Test("A link stays and its file is replaced, or made", arguments: [true, false])
    func aLinkStays(exists: Bool) throws {
        if exists { try write([1], to: path) }
        let link = folder.file("link")
        #expect(symlink("out.bin", link) == 0)
        let file = try OutputFile(path: link)
        try file.write([2])
        try file.commit()
        #expect(try contents(of: path) == [2])
        var status = stat()
        #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test func whoMayReadAFileStays() throws {
        try write([1], to: path)
        #expect(chmod(path, 0o600) == 0)
        let file = try OutputFile(path: path)
        try file.write([2])
        try file.commit()
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func devicesAreWrittenDirectly() throws {
        let file = try OutputFile(path: "/dev/null")
        try file.write([1, 2, 3])
        try file.commit()
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    @Test func aFullDeviceIsAnErrorThatSaysSo() throws {
        let file = try OutputFile(path: "/dev/full")
        let error = #expect(throws: FileError.self) { try file.write([1]) }
        #expect(error?.isOutOfSpace == true)
        #expect(error?.description.contains("Free some space") == true)
    }

    @Test func foldersAndMissingFoldersAreErrors() throws {
        #expect(throws: FileError(path: folder.path, action: .write, code: EISDIR)) {
            try OutputFile(path: folder.path)
        }
        let missing = folder.file("none/out.bin")
        #expect(throws: FileError(path: missing, action: .create, code: ENOENT)) { try OutputFile(path: missing) }
    }

    @Test(arguments: 0..<6) func aFullDiskAtAnyMomentKeepsTheOldFile(change: Int) throws {
        try write([1], to: path)
        let didFail = try failing(at: change, with: ENOSPC) {
            let file = try OutputFile(path: path)
            try file.write([2])
            try file.write([3])
            try file.commit()
        }
        #expect(didFail == (change < 6))
        // Creating, writing twice, flushing and renaming come before the change is made; flushing the folder after it.
        #expect(try contents(of: path) == (change < 5 ? [1] : [2, 3]))
        #expect(try folder.entries() == ["out.bin"])
    }
}
