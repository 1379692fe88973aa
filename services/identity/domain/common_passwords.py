"""Words that people choose first, in Spanish and English; attackers try them first too."""

from __future__ import annotations

COMMON = frozenset(
    """
    password passwort passw0rd contrasena contraseña clave claves secreto secret letmein welcome bienvenido
    bienvenida admin administrador administrator root usuario user guest invitado default changeme cambiame
    cambiar master maestro login acceso entrar sistema system server servidor service servicio soporte support
    qwerty qwertyuiop qwertyui asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc qwerasdf asdfasdf qweqwe
    abcdef abcdefg abcdefgh abcabc abcd aaaaaa iloveyou loveyou tequiero teamo teamomucho miamor amor amorcito
    princess princesa prince principe princesita estrella estrellita corazon mivida cariño carino bonita
    hermosa preciosa angel angelito dios jesus jesucristo cristo bendicion familia mifamilia mama papa mami
    papi hijos hija hijo bebe abuela abuelo hermano hermana amigo amiga amigos colombia colombiano bogota
    medellin cali barranquilla cartagena bucaramanga pereira manizales cucuta ibague santamarta villavicencio
    mexico argentina espana peru chile ecuador venezuela america nacional millonarios santafe atletico
    barcelona realmadrid madrid junior futbol football soccer baseball basketball hockey campeon goleador
    monkey mono dragon tigre tiger lion leon panther pantera eagle aguila shark tiburon wolf lobo bear oso
    puppy perro perrito gato gatito mascota conejo caballo mariposa butterfly delfin dolphin sunshine sol
    luna moon star estrellas cielo flower flores rosa rosita azul rojo verde negro blanco amarillo morado
    chocolate cookie galleta banana orange naranja manzana apple pepper ginger cafe cafecito coffee cerveza
    football superman batman spiderman ironman hulk starwars pokemon pikachu naruto goku mickey minnie
    matrix ninja samurai warrior guerrero hunter cazador killer hacker shadow sombra ghost fantasma zombie
    diablo demonio infierno heaven michael daniel david carlos alejandro andres sebastian santiago juan jose
    luis jorge miguel angela maria mariana camila valentina sofia isabella daniela natalia carolina laura
    andrea paola diana claudia patricia fernando ricardo eduardo alberto antonio francisco manuel rafael
    jessica jennifer ashley michelle nicole amanda charlie thomas robert william joseph george jordan
    harley mustang ferrari porsche mercedes toyota honda chevrolet mazda renault kawasaki yamaha suzuki
    computer computador internet google facebook instagram whatsapp youtube twitter microsoft windows android
    samsung iphone nokia huawei xiaomi linkedin gmail hotmail outlook yahoo netflix spotify amazon
    summer verano winter invierno spring primavera autumn otono enero febrero marzo abril mayo junio julio
    agosto septiembre octubre noviembre diciembre january february march april june july august september
    october november december lunes martes miercoles jueves viernes sabado domingo monday tuesday wednesday
    thursday friday saturday sunday hola hello hellohello buenosdias gracias thanks porfavor please
    freedom libertad peace paz power poder money dinero plata platica rich rico lucky suerte happy feliz
    felicidad alegria sonrisa smile trustno trustme access test testing prueba pruebas probando demo ejemplo
    example temporal temp tempo nuevo nueva newpass newpassword mypassword mypass miclave micontrasena
    empresa company compania oficina office trabajo work gerente gerencia tecnico tecnica campo operaciones
    checkop progresus fieldservice mantenimiento instalacion supervisor technician owner
    """.split()  # noqa: SIM905 - one word per line would be four hundred lines
)
