import Testing

@testable import WaneEvents

@Suite("What people were shown")
struct ExposureTests {
    private static let rows = """
        UserID,Time,PageID,EventType
        b,2023-01-01 10:00:00,x,impression
        b,2023-01-01 10:00:01,y,impression
        b,2023-01-01 10:00:02,y,click
        a,2023-01-02 10:00:00,x,impression
        a,2023-01-02 10:00:00,x,click
        nobody,2023-01-03 10:00:00,z,Impression
        b,2023-01-04 10:00:00,x,impression
        a,2023-01-01 09:00:00,y,click
        """

    private func read(
        _ text: String = rows, _ change: (inout ReadingOptions) -> Void = { _ in }
    ) throws -> (log: EventLog, report: ReadingReport) {
        var options = ReadingOptions()
        change(&options)
        return try LogReader.read(bytes: Array(text.utf8), options: options)
    }

    @Test("is no event: impressions are counted, named, and kept beside the rows, by person and time")
    func kept() throws {
        let (log, report) = try read()
        #expect(log.users.names == ["a", "b"])
        #expect(log.count == 3 && report.accepted == 8 && report.exposures == 5)
        // What was shown to nobody who does anything goes, and items that nobody did anything with are in no topic.
        #expect(log.exposures?.count == 4)
        #expect(log.items.names == ["x", "y"])
        #expect(report.exposureTypes.sorted() == ["Impression", "impression"])
        #expect(report.warnings.contains { $0.contains("5 rows are of what people were shown") })
        #expect(report.warnings.contains { $0.contains("1 people were only shown things") })
    }

    @Test("precedes the event after it, one of the same moment included")
    func order() throws {
        let log = try read().log.sortedByUser()
        var seen: [[Int64]] = []
        for index in 0..<log.count {
            var own: [Int64] = []
            log.forEachExposure(beforeEvent: index) { time, _ in own.append(log.time[index] - time) }
            seen.append(own)
        }
        #expect(seen == [[], [0], [2_000_000, 1_000_000]])
        #expect(try #require(log.only("b")).exposures?.count == 3)
    }

    @Test("is what has no weight, and is engagement where a weight says so")
    func weights() throws {
        // Of the one type that no weight is given for, and that says itself what it is, there is a row.
        let first = try read { $0.eventWeights = ["impression": 0.1, "click": 1] }
        #expect(first.log.count == 7 && first.report.exposures == 1)
        let (log, report) = try read { $0.eventWeights = ["click": 0, "impression": 1, "Impression": 1] }
        #expect(log.count == 5 && log.exposures?.count == 3 && report.exposureTypes == ["click"])
    }

    @Test("of items that nobody did anything with has topics where rows give them, and such items are none to rank")
    func onlyShown() throws {
        let text = """
            user,time,item,event,topic
            a,2023-01-01,x,click,shoes
            a,2023-01-02,advert,impression,shoes
            a,2023-01-03,other,impression,hats
            a,2023-01-04,x,click,shoes
            """
        let log = try read(text).log.sortedByUser()
        var seen: [[String]] = []
        log.forEachExposure(beforeEvent: 1) { _, topics in seen.append(topics.map { log.topics.names[Int($0)] }) }
        #expect(seen == [["shoes"], ["hats"]])
        #expect(log.withoutExposures().items.names == ["x"] && log.withoutExposures().topics.names.names == ["shoes"])
        #expect(log.withoutExposures().exposures == nil)
        let bare = try read(text) { $0.map[.topic] = "" }.log.sortedByUser()
        var topics = 0
        bare.forEachExposure(beforeEvent: 1) { _, own in topics += own.count }
        #expect(bare.items.names == ["x"] && bare.exposures?.count == 2 && topics == 0)
    }

    @Test("is none of a person whose rows were set aside, and is said of those alone who did nothing")
    func setAside() throws {
        let text = "user,time,item,event\na,2023-01-01,x,click\na,2023-01-01,x,impression\nc,never,x,click\n"
        let report = try read(text).report
        #expect(report.rejectedCount == 1 && !report.warnings.contains { $0.contains("only shown") })
    }

    @Test("is what its type calls so, in any spelling, and rows without a type are named")
    func spelled() throws {
        for type in ["ad_impression", "AdImpression", "view impression", "IMPRESSIONS", "Shown"] {
            #expect(Exposures.isOne(type), "\(type)")
        }
        for type in ["click", "showroom", "impressive", "content_shown", "expose", "", "impression_click", "delivered"]
        {
            #expect(!Exposures.isOne(type), "\(type)")
        }
        let text = "user,ts,item,event\nu1,2024-01-01,a,click\nu2,2024-01-02,a,\nu1,2024-01-03,a,\n"
        let report = try read(text) { $0.eventWeights = ["click": 0.1] }.report
        #expect(report.warnings.contains("2 rows have no type of event, and count 1"))
    }

    @Test("leaves no hole among the positions of a log of order")
    func positions() throws {
        let text = """
            UserID,PageID,EventType
            a,x,click
            a,y,impression
            a,z,click
            b,x,impression
            b,y,click
            """
        let (log, report) = try read(text)
        #expect(log.clock == .position && log.exposures == nil && report.exposures == 2)
        #expect(Array(log.time) == [0, 1, 1].map { Int64($0) * EventLog.second + log.time[0] })
    }

    @Test("alone is no log")
    func alone() {
        #expect(throws: LogError.onlyExposures(file: "log", rows: 1, types: ["impression"])) {
            try read("UserID,Time,PageID,EventType\na,2023-01-01,x,impression\n")
        }
    }
}
