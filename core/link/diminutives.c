#include "core/link/diminutives.h"

#include "core/base/map.h"

#include <stdlib.h>

/* Short form, then the names that it may stand for. Common use in Peru, Mexico and Spain; those in -ito and
 * -ita that are formed by rule are left out. Sorted. */
static const char *const forms[] = {
    "ALE ALEJANDRO ALEJANDRA ALEXANDER ALEXANDRA",
    "ALEX ALEJANDRO ALEJANDRA ALEXANDER ALEXANDRA",
    "ANGELITA ANGELA ANGELICA",
    "ANITA ANA",
    "ANT ANTONIO ANTONIA",
    "BARTOLO BARTOLOME",
    "BEA BEATRIZ",
    "BERTO ALBERTO ROBERTO GILBERTO HUMBERTO NORBERTO ADALBERTO HERIBERTO",
    "BETO ALBERTO ROBERTO GILBERTO HUMBERTO NORBERTO ADALBERTO HERIBERTO BERTO",
    "BETTY BEATRIZ ELIZABETH ISABEL",
    "BETY BEATRIZ ELIZABETH ISABEL",
    "CACHO CARLOS",
    "CARMELA CARMEN CARMELINA",
    "CARMENCHA CARMEN",
    "CARMUCHA CARMEN",
    "CARO CAROLINA",
    "CATA CATALINA",
    "CATY CATALINA CATHERINE",
    "CHABELA ISABEL",
    "CHABUCA ISABEL",
    "CHALO GONZALO",
    "CHANO SEBASTIAN FELICIANO LUCIANO FELICIANA",
    "CHARITO ROSARIO",
    "CHARO ROSARIO",
    "CHAVA SALVADOR",
    "CHAVO SALVADOR",
    "CHAYO ROSARIO",
    "CHELA GRACIELA MARCELA CELIA CONSUELO",
    "CHELO CONSUELO MARCELO",
    "CHEMA JOSE",
    "CHEO JOSE",
    "CHEPA JOSEFA JOSEFINA",
    "CHEPE JOSE",
    "CHICO FRANCISCO",
    "CHIO ROCIO",
    "CHON CONCEPCION ENCARNACION ASUNCION",
    "CHONA CONCEPCION ENCARNACION ASUNCION",
    "CHONI ASUNCION CONCEPCION",
    "CHUCHO JESUS",
    "CHUS JESUS JESUSA",
    "CHUY JESUS",
    "CONCHA CONCEPCION",
    "CONCHI CONCEPCION",
    "CONCHITA CONCEPCION",
    "CONI CONSTANZA CONCEPCION",
    "CRIS CRISTINA CRISTIAN CRISTOBAL",
    "CUCA REFUGIO",
    "CURRO FRANCISCO",
    "DANI DANIEL DANIELA",
    "EDU EDUARDO",
    "ELI ELIZABETH ELISA ELIAS ELIANA",
    "ENCARNA ENCARNACION",
    "ESTEFA ESTEFANIA",
    "EVITA EVA",
    "FALI RAFAEL",
    "FCO FRANCISCO",
    "FDEZ FERNANDEZ",
    "FDZ FERNANDEZ",
    "FELA RAFAELA",
    "FELI FELIPE FELICIA FELICITA FELICIANA",
    "FELO RAFAEL",
    "FER FERNANDO FERNANDA",
    "FERCHO FERNANDO",
    "FICO FEDERICO",
    "FINA JOSEFINA SERAFINA",
    "FITO ADOLFO RODOLFO",
    "GABI GABRIEL GABRIELA",
    "GABY GABRIEL GABRIELA",
    "GINA GEORGINA REGINA",
    "GLEZ GONZALEZ",
    "GLZ GONZALEZ",
    "GOLLO GREGORIO",
    "GOYA GREGORIA",
    "GOYO GREGORIO",
    "GPE GUADALUPE",
    "GUILLE GUILLERMO GUILLERMINA",
    "GUS GUSTAVO",
    "HDEZ HERNANDEZ",
    "HDZ HERNANDEZ",
    "ISA ISABEL ISABELLA",
    "JANO ALEJANDRO",
    "JAVI JAVIER",
    "JOSELITO JOSE",
    "JOSELO JOSE",
    "JUANCHO JUAN",
    "JULI JULIA JULIO JULIAN JULIANA JULIETA",
    "KATY CATALINA CATHERINE KATHERINE KATERINE",
    "KIKE ENRIQUE",
    "KIKO FRANCISCO ENRIQUE",
    "LALA EULALIA",
    "LALO EDUARDO GONZALO EULALIO",
    "LENCHA LORENZA",
    "LENCHO LORENZO",
    "LETI LETICIA",
    "LICHA ALICIA",
    "LILI LILIANA LILIA ELIZABETH",
    "LILY LILIANA LILIA ELIZABETH",
    "LINA CAROLINA ANGELINA PAULINA MARCELINA",
    "LIZ ELIZABETH LIZBETH LIZETH",
    "LOLA DOLORES",
    "LOLI DOLORES",
    "LOLITA DOLORES",
    "LOLO MANUEL LORENZO DOLORES",
    "LORE LORENA LORENZA",
    "LUCHA LUISA LUZ LUCIA LUCRECIA",
    "LUCHITO LUIS",
    "LUCHO LUIS LUCIANO",
    "LUCI LUCIA LUCILA",
    "LUCY LUCIA LUCILA",
    "LUPE GUADALUPE",
    "LUPITA GUADALUPE",
    "MA MARIA",
    "MABEL MARIA ISABEL",
    "MAGA MAGALI MAGDALENA",
    "MAGDA MAGDALENA",
    "MAGO MARGARITA",
    "MALENA MAGDALENA",
    "MANE MANUEL MANUELA",
    "MANOLA MANUELA",
    "MANOLITO MANUEL",
    "MANOLO MANUEL",
    "MANONGO MANUEL",
    "MANU MANUEL MANUELA",
    "MARGA MARGARITA",
    "MARGOT MARGARITA",
    "MARI MARIA",
    "MARICARMEN MARIA CARMEN",
    "MARISA MARIA LUISA",
    "MARISOL SOLEDAD",
    "MARUCA MARIA",
    "MARUJA MARIA",
    "MATI MATILDE MATIAS",
    "MAURI MAURICIO",
    "MAX MAXIMO MAXIMILIANO",
    "MECHE MERCEDES",
    "MECHITA MERCEDES",
    "MELA CARMELA",
    "MELI MELISSA MELISA MELINA",
    "MEMO GUILLERMO",
    "MENCHE CARMEN",
    "MENCHO CLEMENTE",
    "MERCHE MERCEDES",
    "MIGUE MIGUEL",
    "MILA MILAGROS",
    "MILI MILAGROS MILAGRO MILUSKA",
    "MINA GUILLERMINA HERMINIA",
    "MONCHA RAMONA",
    "MONCHO RAMON",
    "MONI MONICA",
    "MTEZ MARTINEZ",
    "MTZ MARTINEZ",
    "NACHA IGNACIA",
    "NACHO IGNACIO",
    "NANDO FERNANDO HERNANDO ARMANDO",
    "NANO FERNANDO MARIANO",
    "NATA NATALIA",
    "NATI NATALIA NATIVIDAD",
    "NATY NATALIA NATIVIDAD",
    "NICO NICOLAS NICANOR NICOLASA",
    "NITA ANA ANITA JUANITA",
    "NORA LEONOR ELEONORA HONORIA",
    "PACA FRANCISCA",
    "PACHA FRANCISCA",
    "PACHO FRANCISCO",
    "PACO FRANCISCO",
    "PANCHA FRANCISCA",
    "PANCHITA FRANCISCA",
    "PANCHITO FRANCISCO",
    "PANCHO FRANCISCO",
    "PAQUITA FRANCISCA",
    "PAQUITO FRANCISCO",
    "PATI PATRICIA",
    "PATO PATRICIO",
    "PATTY PATRICIA",
    "PATY PATRICIA",
    "PAU PAULA PAULINA",
    "PEPA JOSEFA JOSEFINA",
    "PEPE JOSE",
    "PEPITA JOSEFA JOSEFINA",
    "PEPITO JOSE",
    "PERICO PEDRO",
    "PERUCHO PEDRO",
    "PETA PETRONILA",
    "PILI PILAR",
    "PILUCA PILAR",
    "PIPE FELIPE",
    "POCHO ALFONSO",
    "POLI HIPOLITO POLICARPO APOLINARIO",
    "POLO LEOPOLDO HIPOLITO APOLINARIO POLICARPO",
    "PONCHO ALFONSO ILDEFONSO",
    "QUETA ENRIQUETA",
    "QUICA FRANCISCA",
    "QUICO FRANCISCO ENRIQUE",
    "QUINO JOAQUIN",
    "QUIQUE ENRIQUE",
    "RAFA RAFAEL RAFAELA",
    "RAFO RAFAEL",
    "RDZ RODRIGUEZ",
    "REBE REBECA",
    "RGUEZ RODRIGUEZ",
    "RICHI RICARDO",
    "RIGO RIGOBERTO",
    "ROBER ROBERTO",
    "RODRI RODRIGO",
    "ROLO ROLANDO RODOLFO",
    "ROSI ROSA ROSARIO ROSALIA",
    "ROSY ROSA ROSARIO ROSALIA",
    "ROXI ROXANA",
    "ROXY ROXANA",
    "RUFI RUFINA RUFINO",
    "SALVA SALVADOR",
    "SANTI SANTIAGO",
    "SEBAS SEBASTIAN",
    "SOCO SOCORRO",
    "SOFI SOFIA",
    "SOLE SOLEDAD",
    "SUSI SUSANA",
    "SUSY SUSANA",
    "TANO CAYETANO",
    "TAVO GUSTAVO OCTAVIO",
    "TEO TEODORO TEOFILO TEODOSIO DOROTEO",
    "TEOFI TEOFILO TEOFILA",
    "TERE TERESA",
    "TETE TERESA",
    "TINA CRISTINA MARTINA ERNESTINA ALBERTINA FLORENTINA FAUSTINA",
    "TINO MARTIN FLORENTINO FAUSTINO CONSTANTINO CELESTINO VALENTIN AGUSTIN",
    "TITO ALBERTO ROBERTO ERNESTO HECTOR LUIS",
    "TONA ANTONIA",
    "TONI ANTONIO ANTONIA",
    "TONIO ANTONIO",
    "TONO ANTONIO",
    "TONY ANTONIO ANTONIA",
    "TOYA VICTORIA",
    "TRINI TRINIDAD",
    "TULA GERTRUDIS GERTRUDES",
    "TUTO AUGUSTO",
    "VALE VALERIA VALENTINA VALENTIN",
    "VANE VANESSA VANESA",
    "VERO VERONICA",
    "VICHO VICENTE VICTOR",
    "VICKY VICTORIA",
    "VIQUI VICTORIA",
    "VITOCO VICTOR",
    "VIVI VIVIANA",
    "YAYO EDUARDO",
    "YENI YENIFER JENNIFER",
    "YOLI YOLANDA",
    "YOYA GLORIA",
    "ZULE ZULEMA ZULEIKA",
};

enum { FORMS = sizeof forms / sizeof forms[0], CLASS_NAMES_MOST = 10 };

struct diminutives {
  struct map *names; /* class - 1 */
  /* By class: the names that it may stand for, itself first; a name alone stands for itself. Zeros at the end. */
  uint16_t (*stands)[CLASS_NAMES_MOST];
};

/* The next word of `line` from `*at` on; empty at the end. */
static struct slice next_word(struct slice line, size_t *at) {
  size_t from = *at;
  while (*at < line.len && line.data[*at] != ' ') {
    (*at)++;
  }
  struct slice word = slice_make(line.data + from, *at - from);
  *at += *at < line.len;
  return word;
}

static bool names_collect(struct map *names) {
  bool whole = true;
  for (size_t i = 0; i < FORMS; i++) {
    struct slice line = slice_of(forms[i]);
    for (size_t at = 0; at < line.len;) {
      whole = map_intern(names, next_word(line, &at)) != MAP_NONE && whole;
    }
  }
  return whole;
}

static void stands_fill(struct diminutives *diminutives) {
  uint32_t count = map_count(diminutives->names);
  for (uint32_t i = 0; i < count; i++) {
    diminutives->stands[i][0] = (uint16_t)(i + 1);
  }
  for (size_t i = 0; i < FORMS; i++) {
    struct slice line = slice_of(forms[i]);
    size_t at = 0;
    uint16_t *stands = diminutives->stands[map_get(diminutives->names, next_word(line, &at))];
    for (size_t k = 1; at < line.len && k < CLASS_NAMES_MOST; k++) {
      stands[k] = (uint16_t)(map_get(diminutives->names, next_word(line, &at)) + 1);
    }
  }
}

struct diminutives *diminutives_new(void) {
  struct diminutives *diminutives = calloc(1, sizeof *diminutives);
  if (diminutives == NULL) {
    return NULL;
  }
  diminutives->names = map_new();
  if (diminutives->names != NULL && names_collect(diminutives->names)) {
    diminutives->stands = calloc(map_count(diminutives->names), sizeof *diminutives->stands);
  }
  if (diminutives->stands == NULL) {
    diminutives_free(diminutives);
    return NULL;
  }
  stands_fill(diminutives);
  return diminutives;
}

void diminutives_free(struct diminutives *diminutives) {
  if (diminutives != NULL) {
    map_free(diminutives->names);
    free(diminutives->stands);
    free(diminutives);
  }
}

uint16_t diminutives_find(const struct diminutives *diminutives, struct slice token) {
  uint32_t found = map_get(diminutives->names, token);
  return found == MAP_NONE ? 0 : (uint16_t)(found + 1);
}

bool diminutives_meet(const struct diminutives *diminutives, uint16_t a, uint16_t b) {
  if (a == 0 || b == 0) {
    return false;
  }
  const uint16_t *left = diminutives->stands[a - 1];
  const uint16_t *right = diminutives->stands[b - 1];
  for (size_t i = 0; i < CLASS_NAMES_MOST && left[i] != 0; i++) {
    for (size_t j = 0; j < CLASS_NAMES_MOST && right[j] != 0; j++) {
      if (left[i] == right[j]) {
        return true;
      }
    }
  }
  return false;
}

static bool ends_with(struct slice text, const char *end) {
  size_t len = strlen(end);
  return text.len > len && memcmp(text.data + text.len - len, end, len) == 0;
}

bool diminutives_has_suffix(struct slice text) {
  return text.len >= 6 && (ends_with(text, "ITO") || ends_with(text, "ITA") || ends_with(text, "ITOS"));
}

/* `name` is `stem`, or `stem` and one of the endings. */
static bool is_stem(struct slice stem, struct slice name, const char *const *endings) {
  if (stem.len < 3 || name.len < stem.len || memcmp(stem.data, name.data, stem.len) != 0) {
    return false;
  }
  if (name.len == stem.len) {
    return stem.len >= 4; /* Juan, but Benito is no Ben */
  }
  struct slice rest = slice_make(name.data + stem.len, name.len - stem.len);
  for (; *endings != NULL; endings++) {
    if (slice_is(rest, *endings)) {
      return true;
    }
  }
  return false;
}

bool diminutives_suffixed(struct slice text, struct slice name) {
  static const char *const male[] = {"O", "E", "OS", NULL};
  static const char *const female[] = {"A", "E", NULL};
  if (!diminutives_has_suffix(text)) {
    return false;
  }
  size_t suffix = text.data[text.len - 1] == 'S' ? 4 : 3;
  const char *const *endings = text.data[text.len - 1] == 'A' ? female : male;
  struct slice stem = slice_make(text.data, text.len - suffix);
  if (is_stem(stem, name, endings)) {
    return true;
  }
  bool with_c = stem.len > 3 && stem.data[stem.len - 1] == 'C'; /* Carmencita */
  return with_c && is_stem(slice_make(stem.data, stem.len - 1), name, endings);
}
