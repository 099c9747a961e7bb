import WaneTasks

/// The two classical models of a customer base, as fitted to what was known at one moment.
public struct CohortClassic: Sendable, Equatable {
    public let bg: BGNBD
    public let pareto: ParetoNBD

    public init(bg: BGNBD, pareto: ParetoNBD) {
        self.bg = bg
        self.pareto = pareto
    }

    /// Customers that a fit begins with; at earlier moments these are enough.
    static let sample = 2_500

    /// Fitted to at most some thousand customers.
    public init(sampleOf customers: [CustomerSummary]) {
        let every = max(1, customers.count / Self.sample)
        let some = stride(from: 0, to: customers.count, by: every).map { customers[$0] }
        self.init(bg: BGNBD.fitted(some).model, pareto: ParetoNBD.fitted(some).model)
    }

    /// Fitted to all customers, from a fit to some of them.
    public init(_ customers: [CustomerSummary], from start: CohortClassic) {
        self.init(
            bg: BGNBD.fitted(customers, from: start.bg).model,
            pareto: ParetoNBD.fitted(customers, from: start.pareto).model)
    }
}
