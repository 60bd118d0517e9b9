#include "core/service/ctdc_columns.h"

#include "core/base/error.h"

#include <string.h>

const char *const ctdc_fields[FLAG_FIELDS] = {[FLAG_MEANS] = "means",
                                              [FLAG_PURPOSES] = "purposes",
                                              [FLAG_INDUSTRY] = "industry",
                                              [FLAG_SEXUAL] = "sexual_exploitation",
                                              [FLAG_RELATION] = "relation"};

#define MEANS(n, c, e, s)                                                                                              \
  { .name = n, .kind = CTDC_FLAG, .en = e, .es = s, .field = FLAG_MEANS, .codes = c, .step = 3 }
#define PURPOSE(n, c, e, s)                                                                                            \
  { .name = n, .kind = CTDC_FLAG, .en = e, .es = s, .field = FLAG_PURPOSES, .codes = c, .step = 7 }
#define LABOUR(n, c, p, e, s)                                                                                          \
  {                                                                                                                    \
    .name = n, .kind = CTDC_FLAG, .en = e, .es = s, .field = FLAG_INDUSTRY, .codes = c, .also = p,                     \
    .within = "isForcedLabour", .step = 1                                                                              \
  }
#define SEXUAL(n, c, e, s)                                                                                             \
  {                                                                                                                    \
    .name = n, .kind = CTDC_FLAG, .en = e, .es = s, .field = FLAG_SEXUAL, .codes = c, .within = "isSexualExploit",     \
    .step = 1                                                                                                          \
  }
#define RECRUITER(n, c, e, s)                                                                                          \
  { .name = n, .kind = CTDC_FLAG, .en = e, .es = s, .field = FLAG_RELATION, .codes = c, .step = 1 }

const struct ctdc_column ctdc_columns[CTDC_COLUMNS] = {
    {.name = "yearOfRegistration",
     .kind = CTDC_YEAR,
     .step = 6,
     .en = "year in which a case of the person was first registered, or else reported",
     .es = "año en que un caso de la persona se registró por primera vez o, en su defecto, se denunció"},
    {.name = "gender",
     .kind = CTDC_GENDER,
     .en = "Woman, Man, or Trans/Transgender/NonConforming",
     .es = "Woman (mujer), Man (hombre) o Trans/Transgender/NonConforming"},
    {.name = "ageBroad",
     .kind = CTDC_AGE,
     .step = 5,
     .en = "age at registration from the birth date, or else the recorded age: 0--8, 9--17, 18--20, 21--23, 24--26, "
           "27--29, 30--38, 39--47, 48+",
     .es = "edad al registro según la fecha de nacimiento o, en su defecto, la edad registrada: 0--8, 9--17, 18--20, "
           "21--23, 24--26, 27--29, 30--38, 39--47, 48+"},
    {.name = "majorityStatus",
     .kind = CTDC_MAJORITY,
     .step = 2,
     .en = "Minor (under 18) or Adult, by the same age",
     .es = "Minor (menor de 18) o Adult, por la misma edad"},
    {.name = "majorityStatusAtExploit",
     .kind = CTDC_MAJORITY_THEN,
     .step = 4,
     .en = "Minor or Adult at the facts; of several cases the youngest",
     .es = "Minor o Adult en los hechos; si hay varios casos, la menor edad"},
    {.name = "citizenship",
     .kind = CTDC_CITIZENSHIP,
     .step = 4,
     .en = "nationality, ISO 3166-1 alpha-3; of several the first",
     .es = "nacionalidad, ISO 3166-1 alfa-3; si hay varias, la primera"},
    {.name = "CountryOfExploitation",
     .kind = CTDC_COUNTRY,
     .step = 8,
     .en = "country of the facts, ISO 3166-1 alpha-3; of several the first case's",
     .es = "país de los hechos, ISO 3166-1 alfa-3; si hay varios, el del primer caso"},
    {.name = "traffickMonths",
     .kind = CTDC_MONTHS,
     .step = 2,
     .en = "months of exploitation: 0--12 (0-1 yr), 13--24 (1-2 yrs), 25+ (2+ yrs); of several the longest",
     .es = "meses de explotación: 0--12 (0-1 yr), 13--24 (1-2 yrs), 25+ (2+ yrs); si hay varios, el mayor"},
    MEANS("meansDebtBondageEarnings", "debt_bondage withheld_earnings", "debt bondage, earnings taken",
          "servidumbre por deudas, retención de ingresos"),
    MEANS("meansThreats", "threat threat_family threat_authorities",
          "threats, also against the family or of authorities", "amenazas, también contra la familia o de autoridades"),
    MEANS("meansAbusePsyPhySex", "violence sexual_violence psychological_abuse",
          "psychological, physical or sexual abuse", "maltrato psicológico, físico o sexual"),
    MEANS("meansFalsePromises", "deception fraud", "false promises", "falsas promesas"),
    MEANS("meansDrugsAlcohol", "drugs", "drugs or alcohol", "drogas o alcohol"),
    MEANS("meansDenyBasicNeeds", "restricted_money restricted_care denied_necessities deprivation_of_liberty",
          "money, care, necessities or movement denied", "privación de dinero, atención, necesidades o movimiento"),
    MEANS("meansExcessiveWorkHours", "excessive_hours", "excessive working hours", "jornada excesiva"),
    MEANS("meansWithholdDocs", "withheld_documents", "documents withheld", "retención de documentos"),
    PURPOSE("isForcedLabour",
            "labour_exploitation forced_labour child_labour domestic_servitude begging criminal_activity",
            "forced labour, with domestic servitude, begging and criminal activities",
            "trabajo forzoso, con servidumbre doméstica, mendicidad y actividades delictivas"),
    PURPOSE("isSexualExploit", "sexual_exploitation", "sexual exploitation", "explotación sexual"),
    PURPOSE("isOtherExploit",
            "slavery sale_of_children illegal_adoption forced_marriage organ_trafficking armed_group surrogacy other",
            "other exploitation", "otra explotación"),
    LABOUR("typeOfLabourAgriculture", "A", NULL, "forced labour in agriculture, forestry or fishing",
           "trabajo forzoso en agricultura, silvicultura o pesca"),
    LABOUR("typeOfLabourConstruction", "F", NULL, "forced labour in construction", "trabajo forzoso en construcción"),
    LABOUR("typeOfLabourDomesticWork", "T", "domestic_servitude", "forced domestic work", "trabajo doméstico forzoso"),
    LABOUR("typeOfLabourHospitality", "I", NULL, "forced labour in accommodation or food service",
           "trabajo forzoso en alojamiento o servicio de comidas"),
    SEXUAL("typeOfSexProstitution", "prostitution", "prostitution", "prostitución"),
    SEXUAL("typeOfSexPornography", "pornography", "pornography", "pornografía"),
    RECRUITER("recruiterRelationIntimatePartner", "spouse sweetheart", "the trafficker is a partner",
              "el tratante es pareja"),
    RECRUITER("recruiterRelationFriend", "acquaintance", "the trafficker is a friend or acquaintance",
              "el tratante es amigo o conocido"),
    RECRUITER("recruiterRelationFamily", "parent sibling relative guardian", "the trafficker is of the family",
              "el tratante es de la familia"),
    RECRUITER("recruiterRelationOther", "godparent neighbour employer teacher stranger other",
              "the trafficker is somebody else", "el tratante es otra persona"),
};

void ctdc_steps(uint64_t steps[CTDC_STEPS]) {
  memset(steps, 0, CTDC_STEPS * sizeof *steps);
  for (size_t i = 0; i < CTDC_COLUMNS; i++) {
    if (ctdc_columns[i].step > 0) {
      steps[ctdc_columns[i].step - 1] |= UINT64_C(1) << i;
    }
  }
}
