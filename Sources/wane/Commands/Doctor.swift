import ArgumentParser
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneServer
import WaneStore

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether this program, its libraries and a service's folder are as they should be.",
        discussion: "Example:\n  wane doctor --data service")

    @Option(help: ArgumentHelp("The folder of a service, which may be running.", valueName: "folder")) var data: String?
    @Option(help: ArgumentHelp("The service's PostgreSQL database.", valueName: "url")) var store: String?
    @Option(help: "A table for people, or json for machines.") var format = Format.table

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    private struct Finding: Encodable {
        let check: String
        let isGood: Bool
        let words: String

        private enum CodingKeys: String, CodingKey {
            case check, words
            case isGood = "ok"
        }
    }

    private static func look(_ check: String, _ body: () async throws -> String) async -> Finding {
        do {
            return Finding(check: check, isGood: true, words: try await body())
        } catch {
            return Finding(check: check, isGood: false, words: "\(error)")
        }
    }

    func run() async throws {
        var findings = [
            Finding(check: "program", isGood: true, words: "wane \(CodeVersion.current)"),
            await Self.look("libtorch") {
                try Runtime.setThreads(1)
                let sum = try (Tensor([Float(1), 2]) + Tensor([Float(3), 4])).sum().item()
                guard sum == 10 else { throw CommandError("1 + 2 + 3 + 4 is \(sum) there") }
                return "counts"
            },
            await Self.look("processors") { "\(ThreadCount.available) to be used" },
        ]
        if let data { findings += await look(at: data) }
        if let store {
            findings.append(
                await Self.look("PostgreSQL") {
                    let store = try await PostgresStore(url: store)
                    try await store.check()
                    let faults = try await store.faults()
                    guard faults.isEmpty else { throw CommandError(faults.joined(separator: "; ")) }
                    return "\(try await store.count()) events, each what was written"
                })
        }
        switch format {
        case .json: StandardOutput.print(try Render.json(findings))
        case .table:
            var table = Table(["check", "", ""])
            table.rows = findings.map { [$0.check, $0.isGood ? "good" : "BAD", $0.words] }
            StandardOutput.print(table.text)
        }
        if findings.contains(where: { !$0.isGood }) { throw ExitCode(1) }
    }

    private func look(at data: String) async -> [Finding] {
        var findings = [
            await Self.look("room on the disk") {
                let values = try FileManager.default.attributesOfFileSystem(forPath: data)
                let free = (values[.systemFreeSize] as? NSNumber)?.doubleValue ?? 0
                guard free > 256e6 else {
                    throw CommandError("\(Int(free / 1e6)) MB left: events will soon be refused")
                }
                return "\(Int(free / 1e6)) MB left"
            }
        ]
        guard store == nil else { return findings }
        findings.append(
            await Self.look("events") {
                let faults = try SQLiteCopy.faults(data)
                guard faults.isEmpty else { throw CommandError(faults.joined(separator: "; ")) }
                return "\(try SQLiteCopy.facts(data).events) events, each what was written"
            })
        findings.append(
            await Self.look("keys") {
                let count = try SQLiteCopy.facts(data).keys
                return count == 0 ? "none: only this machine may ask" : "\(count)"
            })
        findings.append(
            await Self.look("models") {
                let versions = try StoreCommand.versions(data)
                for (label, version) in try SQLiteCopy.facts(data).labels where label.name == .champion {
                    guard versions.contains(version) else {
                        throw CommandError("version \(version) answers for \(label.task), and is not there")
                    }
                }
                let faults = try StoreCommand.modelFaults(data)
                guard faults.isEmpty else { throw CommandError(faults.joined(separator: "; ")) }
                return versions.isEmpty ? "none yet" : "\(versions.count), each whole"
            })
        return findings
    }
}
