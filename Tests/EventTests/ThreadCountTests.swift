import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Threads")
struct ThreadCountTests {
    @Test("only processors that the process is bound to count")
    func bound() {
        func count(_ list: String) -> Int? {
            ThreadCount.allowed(in: "Name:\tx\nCpus_allowed_list:\t\(list)\nMems: 1\n")
        }
        #expect(count("0") == 1 && count("0-3,8") == 5 && count("1,3,5-6") == 4)
        #expect(count("3-1") == nil && count("x") == nil && ThreadCount.allowed(in: "") == nil)
    }

    @Test("control groups of both versions are obeyed, the tightest of those above the process too")
    func controlGroups() throws {
        let folder = try TemporaryFolder()
        func write(_ path: String, _ text: String) throws {
            let file = folder.file(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        try write("two/pod/box/cpu.max", "max 100000\n")
        try write("two/pod/cpu.max", "150000 100000\n")
        let root = folder.file("two").path
        #expect(ThreadCount.granted(root: root, own: "0::/pod/box\n") == 2)
        try write("two/pod/box/cpu.max", "50000 100000\n")
        #expect(ThreadCount.granted(root: root, own: "0::/pod/box\n") == 1)
        #expect(ThreadCount.granted(root: root, own: "0::/elsewhere\n") == nil)
        try write("one/cpu/box/cpu.cfs_quota_us", "300000\n")
        try write("one/cpu/box/cpu.cfs_period_us", "100000\n")
        try write("one/cpu/cpu.cfs_quota_us", "-1\n")
        try write("one/cpu/cpu.cfs_period_us", "100000\n")
        let first = folder.file("one").path
        #expect(ThreadCount.granted(root: first, own: "5:memory:/box\n4:cpu,cpuacct:/box\n") == 3)
        #expect(ThreadCount.granted(root: first, own: "4:cpu,cpuacct:/\n") == nil)
        for broken in ["", "nonsense", "0::", "0::/box:::"] {
            #expect(ThreadCount.granted(root: root, own: broken) == nil)
        }
        #expect(ThreadCount.available >= 1)
    }
}
