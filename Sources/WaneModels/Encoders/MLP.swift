extension ModelFamily {
    /// Hidden layers on the query's features alone; the history counts only through them.
    static let mlp = ModelFamily(
        name: "mlp", summary: "hidden layers on the query's features",
        reference: "Goodfellow, Bengio and Courville 2016",
        options: []
    ) { _ in FamilyParts() }
}
