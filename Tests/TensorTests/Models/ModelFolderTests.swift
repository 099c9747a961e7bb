import Foundation
import TestSupport
import Testing
import Torch
import WaneData
import WaneModels

@testable import WaneTraining

extension UsingTorch {
    @Suite("Models on disk")
    struct ModelFolderTests {
        private func trained(_ task: InterestTask, family: String = "lstm") throws -> TrainedModel {
            try InterestTraining(task, model: TrainingTests.model(family), training: TrainingTests.options(epochs: 1))
                .run()
        }

        @Test("predict the same, bit by bit, after saving and loading", arguments: ["lstm", "mlp", "lstm-basic"])
        func bitEqual(family: String) throws {
            let task = try Small.task(users: 50)
            let model = try trained(task, family: family)
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try ModelFolder.write(model, metrics: Data("{}".utf8), card: "card", to: path)
            let read = try ModelFolder.read(path)
            #expect(read.description.threshold == model.description.threshold)
            let again = try read.task(for: task.histories.log)
            let queries = try task.queries(.test, count: 500, seed: 1)
            #expect(try again.queries(.test, count: 500, seed: 1).anchored == queries.anchored)
            let (a, b) = (
                try model.session(task.histories).predict(queries), try read.session(again.histories).predict(queries)
            )
            #expect(a.returned == b.returned && a.degree == b.degree)
        }

        @Test("a damaged, cut or missing file is named, whatever it is")
        func damage() throws {
            let task = try Small.task(users: 30)
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try ModelFolder.write(trained(task, family: "mlp"), metrics: Data("{}".utf8), card: "card", to: path)
            var generator = SeededGenerator(seed: 8)
            for name in ["weights.safetensors", "vocabulary/items.txt", "vocabulary/topics.txt", "model.json"] {
                let url = folder.file("model/\(name)")
                let whole = try Data(contentsOf: url)
                for _ in 0..<40 {
                    var damaged = whole
                    let place = Int.random(in: 0..<whole.count, using: &generator)
                    damaged[place] ^= UInt8.random(in: 1...255, using: &generator)
                    try damaged.write(to: url)
                    // A changed byte of the description may still describe a model; of the other files never.
                    if name == "model.json" {
                        _ = try? ModelFolder.read(path)
                    } else {
                        let error = #expect(throws: ModelFolderError.self) { try ModelFolder.read(path) }
                        #expect(error?.description.contains(name) == true)
                    }
                }
                for length in [0, 1, whole.count / 2, whole.count - 1] {
                    try whole.prefix(length).write(to: url)
                    #expect(throws: (any Error).self) { try ModelFolder.read(path) }
                }
                try FileManager.default.removeItem(at: url)
                #expect(throws: ModelFolderError.self) { try ModelFolder.read(path) }
                try whole.write(to: url)
            }
            _ = try ModelFolder.read(path)
        }

        @Test("a newer format, a folder without a model and a folder of something else are refused")
        func refused() throws {
            let folder = try TemporaryFolder()
            #expect(throws: ModelFolderError.missing(path: folder.url.path)) { try ModelFolder.read(folder.url.path) }
            try folder.write("model.json", #"{"schema": 99}"#)
            #expect(throws: ModelFolderError.self) { try ModelFolder.read(folder.url.path) }
            let other = try TemporaryFolder()
            try other.write("thesis.txt", "years of work")
            let model = try trained(Small.task(users: 30), family: "mlp")
            #expect(throws: ModelFolderError.wouldOverwrite(path: other.url.path)) {
                try ModelFolder.write(model, metrics: Data(), card: "", to: other.url.path)
            }
            #expect(FileManager.default.fileExists(atPath: other.file("thesis.txt").path))
        }

        @Test(
            "a disk that fills up while saving leaves the old model whole",
            .enabled(if: getuid() == 0, "needs root, for a small disk"))
        func fullDisk() throws {
            let folder = try TemporaryFolder()
            func shell(_ command: String) throws -> Int32 {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = ["-c", command]
                try process.run()
                process.waitUntilExit()
                return process.terminationStatus
            }
            let disk = folder.file("disk").path
            guard try shell("mkdir -p \(disk) && mount -t tmpfs -o size=160k tmpfs \(disk) 2>/dev/null") == 0 else {
                return
            }
            defer { _ = try? shell("umount \(disk)") }
            let task = try Small.task(users: 30)
            let path = disk + "/model"
            let small = try trained(task, family: "mlp")
            try ModelFolder.write(small, metrics: Data("{}".utf8), card: "old", to: path)
            let error = #expect(throws: StorageError.self) {
                try ModelFolder.write(small, metrics: Data(count: 200_000), card: "new", to: path)
            }
            #expect(error?.description.contains("unchanged") == true)
            _ = try ModelFolder.read(path)
            #expect(try String(contentsOfFile: path + "/card.md", encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == ["model"])
        }

        @Test("names with line breaks and backslashes survive a vocabulary file")
        func vocabulary() throws {
            let names = ["a", "", "line\nbreak", "back\\slash", "\\n", "é\r", "last"]
            #expect(VocabularyFile.decode(VocabularyFile.encode(Vocabulary(names)))?.names == names)
        }
    }
}
