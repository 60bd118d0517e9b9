"""What is linked: files, columns, and for the peers comparisons and blocking rules as near as their language comes to the
files in examples/link. Kinds: name (Jaro-Winkler 0.92 and 0.80, by term frequency), text (the same without), slip (one
edit), date (one edit, same year), code (equal or not)."""

CASES = {
    "febrl3": {
        "data": "../shared/data/febrl3.csv",
        "config": "examples/link/febrl.yaml",
        "id": "rec_id",
        "truth": ("rec_id", r"^rec-([0-9]+)-"),
        "threshold": 0.50,
        "columns": {
            "given_name": "name", "surname": "name", "date_of_birth": "date", "street_number": "slip",
            "address_1": "text", "address_2": "text", "suburb": "text", "postcode": "slip", "state": "slip",
        },
        "block": [
            ["date_of_birth"], ["given_name", "surname"], ["given_name", "substr(date_of_birth,1,4)"],
            ["surname", "substr(date_of_birth,1,4)"], ["substr(date_of_birth,5,4)", "postcode"],
            ["substr(date_of_birth,1,6)", "substr(suburb,1,4)"], ["surname", "postcode"], ["given_name", "postcode"],
            ["surname", "suburb"], ["given_name", "suburb"], ["street_number", "postcode"],
            ["street_number", "substr(suburb,1,4)"], ["street_number", "substr(address_1,1,4)"], ["address_1"],
            ["address_2"],
        ],
        "deterministic": [["given_name", "surname", "date_of_birth"]],
        "rounds": [["date_of_birth"], ["given_name", "surname"]],
    },
    "fake_1000": {
        "data": "../shared/data/fake_1000.csv",
        "config": "examples/link/fake_1000.yaml",
        "id": "unique_id",
        "truth": ("cluster", None),
        "threshold": 0.50,
        "columns": {"first_name": "name", "surname": "name", "dob": "date", "city": "name", "email": "name"},
        "block": [
            ["email"], ["dob"], ["first_name", "surname"], ["first_name", "substr(dob,1,4)"],
            ["surname", "substr(dob,1,4)"], ["first_name", "city"], ["surname", "city"], ["city", "substr(dob,1,4)"],
            ["substr(email,1,4)", "substr(dob,1,4)"], ["substr(email,1,4)", "substr(surname,1,4)"],
            ["substr(dob,6,5)", "substr(city,1,4)"],
        ],
        "deterministic": [["email"], ["first_name", "surname", "dob"]],
        "rounds": [["dob"], ["first_name", "surname"]],
    },
    "persons": {
        "data": None,
        "config": "examples/link/persons.yaml",
        "id": "id",
        "truth": ("true_person", None),
        "threshold": 0.99,
        "columns": {
            "document_number": "slip", "paternal_surname": "name", "maternal_surname": "name", "given_names": "name",
            "birth_date": "date", "sex": "code", "nationality": "code",
        },
        "block": [
            ["document_number"], ["birth_date", "paternal_surname"], ["birth_date", "maternal_surname"],
            ["birth_date", "given_names"], ["paternal_surname", "maternal_surname", "substr(birth_date,1,4)"],
            ["paternal_surname", "given_names", "substr(birth_date,1,4)"],
            ["maternal_surname", "given_names", "substr(birth_date,1,4)"],
        ],
        "deterministic": [["document_number"]],
        "rounds": [["document_number"], ["birth_date", "paternal_surname"]],
    },
}
